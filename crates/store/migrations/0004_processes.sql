-- What several processes on one database need.

-- How many transactions a writing process has committed, by which it learns what became of one whose answer was lost.
-- Of no jurisdiction: one transaction holds commands of many.
CREATE TABLE writer (
    writer_id TEXT   NOT NULL PRIMARY KEY,
    commits   BIGINT NOT NULL
) /* sqlite: STRICT, WITHOUT ROWID */;
