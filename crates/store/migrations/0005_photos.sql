-- Photos that were sent, so that those which no case ever named can be removed. The pictures are in the object store.

CREATE TABLE photo (
    jurisdiction_id BIGINT NOT NULL,
    -- Of the picture's bytes: the same picture sent twice is one row.
    photo_id        TEXT   NOT NULL,
    -- The last time.
    sent_at         BIGINT NOT NULL,
    -- 'waiting' for a case to name it; 'used' by the log of one, for ever; 'leaving' while its files are removed.
    state           TEXT   NOT NULL,
    PRIMARY KEY (jurisdiction_id, photo_id)
) /* sqlite: STRICT, WITHOUT ROWID */;

CREATE INDEX photo_unused ON photo (jurisdiction_id, sent_at) WHERE state <> 'used';
