-- What the writer itself keeps: numbers given out, and counters in step with the log.
--
-- Every table is STRICT on SQLite, so that it takes only what PostgreSQL would. WITHOUT ROWID is for narrow tables that
-- are met by their whole key; for wide rows with further indexes, such as cases, no gain was measured.

CREATE TABLE sequence (
    jurisdiction_id BIGINT NOT NULL,
    name            TEXT   NOT NULL,
    -- The first number not yet given to any process.
    next            BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id, name)
) /* sqlite: STRICT, WITHOUT ROWID */;

CREATE TABLE counter (
    jurisdiction_id BIGINT NOT NULL,
    name            TEXT   NOT NULL,
    -- A dimension that a counter does not have is the empty text.
    area_code       TEXT   NOT NULL,
    unit_code       TEXT   NOT NULL,
    service_code    TEXT   NOT NULL,
    -- Days since 1970-01-01 in the place's own time zone; 0 is the running total.
    day             BIGINT NOT NULL,
    n               BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id, name, area_code, unit_code, service_code, day)
) /* sqlite: STRICT, WITHOUT ROWID */;
