-- Narrowed posts, acts of administration, what reporters typed into events, and the mark of the secret key.

-- The class of access of a case; empty where it is for every post whose area or unit it is. Few have one.
ALTER TABLE cases ADD COLUMN access_code TEXT NOT NULL DEFAULT '';
CREATE INDEX cases_of_a_class ON cases (jurisdiction_id, access_code, reported_at, number) WHERE access_code <> '';

-- The queue of a stage in the order of what is due: its index says the stage too, so that rows of others are not read.
/* not sqlite */ DROP INDEX open_cases_by_due;
/* not sqlite */ DROP INDEX open_cases_by_town;
/* not sqlite */ DROP INDEX open_cases_by_community;
/* not sqlite */ CREATE INDEX open_cases_by_due ON cases (jurisdiction_id, due_at, number, stage) WHERE is_open = 1;
/* not sqlite */ CREATE INDEX open_cases_by_town ON cases (jurisdiction_id, town_code, due_at, number, stage) WHERE is_open = 1;
/* not sqlite */ CREATE INDEX open_cases_by_community ON cases (jurisdiction_id, community_code, due_at, number, stage) WHERE is_open = 1;

-- What was typed into the body of an event, as JSON: address and answers. NULL where there was nothing, and once it is erased;
-- the entry holds its hash. Older programs would read a case without it, and write it back so.
ALTER TABLE event ADD COLUMN told TEXT;

-- What administrators and operators did. Only added to; what is older than the place keeps it is removed.
CREATE TABLE admin_act (
    jurisdiction_id BIGINT NOT NULL,
    act_id          BIGINT NOT NULL,
    at              BIGINT NOT NULL,
    -- NULL: the command line, or Whistle itself.
    account_id      BIGINT,
    post_code       TEXT,
    -- Who: post, operator or system.
    actor           TEXT   NOT NULL,
    -- The word of the act.
    act             TEXT   NOT NULL,
    -- What it was done to: a login, the number of a key or webhook, a version; empty where there is nothing to name.
    subject         TEXT   NOT NULL,
    -- More of it: posts, scopes, an address, how many.
    detail          TEXT   NOT NULL,
    PRIMARY KEY (jurisdiction_id, act_id)
) /* sqlite: STRICT, WITHOUT ROWID */;

CREATE INDEX admin_act_by_time ON admin_act (jurisdiction_id, at, act_id);

-- By which it is known who wants no mail, of keys that were in force before: sealed by the one that is. Good for nothing else.
CREATE TABLE opt_out_key (
    jurisdiction_id BIGINT NOT NULL,
    -- Of the key itself, so that the same one is kept once.
    key_hash        BYTEA  NOT NULL,
    sealed          BYTEA  NOT NULL,
    kept_at         BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id, key_hash)
) /* sqlite: STRICT, WITHOUT ROWID */;

-- The mark of the secret key that the rest is sealed by. One row.
CREATE TABLE key_mark (
    key_mark_id BIGINT NOT NULL PRIMARY KEY,
    mark        BYTEA  NOT NULL
) /* sqlite: STRICT */;
