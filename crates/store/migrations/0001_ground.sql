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

-- A counter has one row for each process that counts, and is their sum. With one row for all, every process would wait for
-- the others' commits, since all reports count towards the same few rows. Where there is one process there is slot 0.
CREATE TABLE counter (
    jurisdiction_id BIGINT NOT NULL,
    name            TEXT   NOT NULL,
    -- A dimension that a counter does not have is the empty text.
    area_code       TEXT   NOT NULL,
    unit_code       TEXT   NOT NULL,
    service_code    TEXT   NOT NULL,
    -- Days since 1970-01-01 in the place's own time zone; 0 is the running total.
    day             BIGINT NOT NULL,
    slot            BIGINT NOT NULL DEFAULT 0,
    n               BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id, name, area_code, unit_code, service_code, day, slot)
) /* sqlite: STRICT, WITHOUT ROWID */;
