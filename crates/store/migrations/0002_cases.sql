-- Places, cases with their log, and what goes with them. Times are microseconds since 1970, UTC.

CREATE TABLE jurisdiction (
    jurisdiction_id BIGINT NOT NULL PRIMARY KEY,
    code            TEXT   NOT NULL UNIQUE,
    -- The place version in force.
    version         BIGINT NOT NULL
) /* sqlite: STRICT */;

-- Every version of a place folder that was applied.
CREATE TABLE place_version (
    jurisdiction_id BIGINT NOT NULL REFERENCES jurisdiction (jurisdiction_id),
    version         BIGINT NOT NULL,
    applied_at      BIGINT NOT NULL,
    hash            BYTEA  NOT NULL,
    PRIMARY KEY (jurisdiction_id, version)
) /* sqlite: STRICT, WITHOUT ROWID */;

CREATE TABLE place_file (
    jurisdiction_id BIGINT NOT NULL,
    version         BIGINT NOT NULL,
    path            TEXT   NOT NULL,
    content         BYTEA  NOT NULL,
    PRIMARY KEY (jurisdiction_id, version, path),
    FOREIGN KEY (jurisdiction_id, version) REFERENCES place_version (jurisdiction_id, version)
) /* sqlite: STRICT */;

-- What the log of a case folds to: `fold` is the whole of it, the columns are what lists look for.
CREATE TABLE cases (
    jurisdiction_id BIGINT  NOT NULL,
    number          BIGINT  NOT NULL,
    version         BIGINT  NOT NULL,
    stage           TEXT    NOT NULL,
    outcome         TEXT,
    is_open         BIGINT  NOT NULL,
    is_public       BIGINT  NOT NULL,
    service_code    TEXT    NOT NULL,
    standard_code   TEXT,
    lead_code       TEXT,
    city_code       TEXT,
    town_code       TEXT,
    community_code  TEXT,
    cell_code       TEXT,
    -- The Z-order key of the point; see whistle_domain::geometry::Spot.
    spot            BIGINT,
    channel         TEXT    NOT NULL,
    place_version   BIGINT  NOT NULL,
    reported_at     BIGINT  NOT NULL,
    updated_at      BIGINT  NOT NULL,
    closed_at       BIGINT,
    -- When the running clock that is due first is due; 9223372036854775807 when none runs.
    due_at          BIGINT  NOT NULL,
    -- Days since 1970-01-01.
    parked_until    BIGINT,
    fold            TEXT    NOT NULL,
    -- The head of the log's chain of hashes.
    hash            BYTEA   NOT NULL,
    PRIMARY KEY (jurisdiction_id, number)
) /* sqlite: STRICT */;

-- is_public, is_open and service_code at the end: a list that passes over rows need not read them.
CREATE INDEX cases_by_report ON cases (jurisdiction_id, reported_at, number, is_public, is_open, service_code);
CREATE INDEX cases_by_update ON cases (jurisdiction_id, updated_at, number, is_public, is_open);
CREATE INDEX open_cases ON cases (jurisdiction_id, number) WHERE is_open = 1;
CREATE INDEX cases_by_spot ON cases (jurisdiction_id, spot) WHERE spot IS NOT NULL /* sqlite: AND is_open = 0 */;
-- What SQLite finds in memory; see open_cases.rs.
/* not sqlite */ CREATE INDEX open_cases_by_due ON cases (jurisdiction_id, due_at, number) WHERE is_open = 1;
/* not sqlite */ CREATE INDEX open_cases_by_lead ON cases (jurisdiction_id, lead_code, due_at, number) WHERE is_open = 1;
/* not sqlite */ CREATE INDEX open_cases_by_town ON cases (jurisdiction_id, town_code, due_at, number) WHERE is_open = 1;
/* not sqlite */ CREATE INDEX open_cases_by_community ON cases (jurisdiction_id, community_code, due_at, number) WHERE is_open = 1;
CREATE INDEX parked_cases ON cases (jurisdiction_id, parked_until) WHERE parked_until IS NOT NULL;

-- The log. Never changed, but for `text`, which can be erased: the chain holds its hash.
CREATE TABLE event (
    jurisdiction_id BIGINT NOT NULL,
    number          BIGINT NOT NULL,
    version         BIGINT NOT NULL,
    at              BIGINT NOT NULL,
    -- Actor, body and clock changes, as JSON.
    entry           TEXT   NOT NULL,
    -- NULL once erased.
    text            TEXT,
    text_hash       BYTEA  NOT NULL,
    hash            BYTEA  NOT NULL,
    -- No foreign key: one function writes both, `verify` finds an orphan, and the look-up would cost every event.
    PRIMARY KEY (jurisdiction_id, number, version)
) /* sqlite: STRICT, WITHOUT ROWID */;

-- Contact data, apart from the case and sealed with a key that is not in the database.
CREATE TABLE contact (
    jurisdiction_id BIGINT NOT NULL,
    number          BIGINT NOT NULL,
    report          BIGINT NOT NULL,
    sealed          BYTEA  NOT NULL,
    PRIMARY KEY (jurisdiction_id, number, report),
    FOREIGN KEY (jurisdiction_id, number) REFERENCES cases (jurisdiction_id, number)
) /* sqlite: STRICT, WITHOUT ROWID */;

-- Who looked at contact data.
CREATE TABLE contact_view (
    jurisdiction_id BIGINT NOT NULL,
    number          BIGINT NOT NULL,
    at              BIGINT NOT NULL,
    account_id      BIGINT NOT NULL,
    post_code       TEXT   NOT NULL,
    PRIMARY KEY (jurisdiction_id, number, at, account_id)
) /* sqlite: STRICT, WITHOUT ROWID */;

-- What has happened and must be told to somebody; delivered after the answer, at least once.
CREATE TABLE outbox (
    jurisdiction_id BIGINT NOT NULL,
    number          BIGINT NOT NULL,
    -- The last event that the message tells of, and the first.
    version         BIGINT NOT NULL,
    since_version   BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id, number, version)
) /* sqlite: STRICT, WITHOUT ROWID */;

-- Answers to requests that may come again.
CREATE TABLE idempotency (
    jurisdiction_id BIGINT NOT NULL,
    -- Of who asked, what, and their key.
    request         BYTEA  NOT NULL,
    -- Of what they sent; the same key with another body is refused.
    body            BYTEA  NOT NULL,
    at              BIGINT NOT NULL,
    number          BIGINT NOT NULL,
    report          BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id, request)
) /* sqlite: STRICT, WITHOUT ROWID */;

CREATE INDEX idempotency_by_age ON idempotency (jurisdiction_id, at);

-- What was imported from where, so that the same again adds nothing.
CREATE TABLE imported (
    jurisdiction_id BIGINT NOT NULL,
    source          TEXT   NOT NULL,
    -- The number that the matter has there.
    reference       TEXT   NOT NULL,
    number          BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id, source, reference)
) /* sqlite: STRICT, WITHOUT ROWID */;
