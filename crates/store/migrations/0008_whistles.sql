-- Whistles with their log, like cases with theirs: the row is what the log folds to.

CREATE TABLE whistle (
    jurisdiction_id BIGINT NOT NULL,
    number          BIGINT NOT NULL,
    version         BIGINT NOT NULL,
    stage           TEXT   NOT NULL,
    is_open         BIGINT NOT NULL,
    kind_code       TEXT   NOT NULL,
    -- The areas of the station that blew it.
    town_code       TEXT,
    community_code  TEXT,
    asked_at        BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    -- When the first clock of any called unit is due; 9223372036854775807 when none runs.
    due_at          BIGINT NOT NULL,
    -- When the first of them runs out that was not noted yet; 9223372036854775807 when there is none.
    step_at         BIGINT NOT NULL,
    fold            TEXT   NOT NULL,
    hash            BYTEA  NOT NULL,
    PRIMARY KEY (jurisdiction_id, number)
) /* sqlite: STRICT */;

CREATE INDEX whistle_by_step ON whistle (jurisdiction_id, step_at, number) WHERE step_at < 9223372036854775807;
CREATE INDEX whistle_by_time ON whistle (jurisdiction_id, asked_at, number, is_open);
CREATE INDEX whistle_by_town ON whistle (jurisdiction_id, town_code, asked_at, number, is_open);
CREATE INDEX whistle_by_community ON whistle (jurisdiction_id, community_code, asked_at, number, is_open);

-- The log. Never changed, but for `text`, which can be erased: the chain holds its hash.
CREATE TABLE whistle_event (
    jurisdiction_id BIGINT NOT NULL,
    number          BIGINT NOT NULL,
    version         BIGINT NOT NULL,
    at              BIGINT NOT NULL,
    -- Actor, body and changes of the units' clocks, as JSON.
    entry           TEXT   NOT NULL,
    -- NULL once erased.
    text            TEXT,
    text_hash       BYTEA  NOT NULL,
    hash            BYTEA  NOT NULL,
    PRIMARY KEY (jurisdiction_id, number, version)
) /* sqlite: STRICT, WITHOUT ROWID */;

-- Which cases a whistle is about; `number` is the whistle's.
CREATE TABLE whistle_case (
    jurisdiction_id BIGINT NOT NULL,
    case_number     BIGINT NOT NULL,
    number          BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id, case_number, number)
) /* sqlite: STRICT, WITHOUT ROWID */;

-- Which units a whistle calls, from when it is blown; for the units' lists.
CREATE TABLE whistle_call (
    jurisdiction_id BIGINT NOT NULL,
    number          BIGINT NOT NULL,
    unit_code       TEXT   NOT NULL,
    state           TEXT   NOT NULL,
    -- Whether the unit still has to do with it.
    is_open         BIGINT NOT NULL,
    -- When its first clock is due; 9223372036854775807 when none runs.
    due_at          BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id, number, unit_code)
) /* sqlite: STRICT, WITHOUT ROWID */;

CREATE INDEX whistle_call_by_unit ON whistle_call (jurisdiction_id, unit_code, is_open, due_at, number);

-- What has happened to whistles and must be told to somebody; as outbox is for cases. A table of its own: the numbers of
-- cases and whistles are not the same.
CREATE TABLE whistle_outbox (
    jurisdiction_id BIGINT NOT NULL,
    number          BIGINT NOT NULL,
    -- The last event that the message tells of, and the first.
    version         BIGINT NOT NULL,
    since_version   BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id, number, version)
) /* sqlite: STRICT, WITHOUT ROWID */;
