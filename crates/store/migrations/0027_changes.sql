-- Which cases each commit changed, for who follows the log. Kept for some hours.

CREATE TABLE change (
    jurisdiction_id BIGINT NOT NULL,
    -- Who committed: one thread of one process, from its start to its end.
    writer_id       TEXT   NOT NULL,
    -- Counted from 1 by each writer, without a gap.
    seq             BIGINT NOT NULL,
    -- By the clock of the machine that committed.
    at              BIGINT NOT NULL,
    -- The numbers of the cases: each as the distance to the one before, seven bits to a byte.
    numbers         BYTEA  NOT NULL,
    PRIMARY KEY (jurisdiction_id, writer_id, seq)
) /* sqlite: STRICT, WITHOUT ROWID */;

-- How far each writer has come.
CREATE TABLE change_writer (
    jurisdiction_id BIGINT NOT NULL,
    writer_id       TEXT   NOT NULL,
    seq             BIGINT NOT NULL,
    at              BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id, writer_id)
) /* sqlite: STRICT, WITHOUT ROWID */;
