-- What several processes on one database need.

-- A counter has one row for each process that counts, and is their sum. With one row for all, every process would wait for
-- the others' commits, since all reports count towards the same few rows. Where there is one process there is slot 0.
CREATE TABLE counter_by_slot (
    jurisdiction_id BIGINT NOT NULL,
    name            TEXT   NOT NULL,
    area_code       TEXT   NOT NULL,
    unit_code       TEXT   NOT NULL,
    service_code    TEXT   NOT NULL,
    day             BIGINT NOT NULL,
    slot            BIGINT NOT NULL DEFAULT 0,
    n               BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id, name, area_code, unit_code, service_code, day, slot)
) /* sqlite: STRICT, WITHOUT ROWID */;

INSERT INTO counter_by_slot (jurisdiction_id, name, area_code, unit_code, service_code, day, n)
SELECT jurisdiction_id, name, area_code, unit_code, service_code, day, n
FROM counter;

DROP TABLE counter;

ALTER TABLE counter_by_slot RENAME TO counter;

-- How many transactions a writing process has committed, by which it learns what became of one whose answer was lost.
-- Of no jurisdiction: one transaction holds commands of many.
CREATE TABLE writer (
    writer_id TEXT   NOT NULL PRIMARY KEY,
    commits   BIGINT NOT NULL
) /* sqlite: STRICT, WITHOUT ROWID */;
