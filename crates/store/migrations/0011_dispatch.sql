-- Several units in one case, and what one holder of a post tells the next.

-- The units that have a part in a case which another leads: it is theirs to see.
CREATE TABLE case_unit (
    jurisdiction_id BIGINT NOT NULL,
    number          BIGINT NOT NULL,
    unit_code       TEXT   NOT NULL,
    PRIMARY KEY (jurisdiction_id, number, unit_code)
) /* sqlite: STRICT, WITHOUT ROWID */;

CREATE INDEX case_unit_by_unit ON case_unit (jurisdiction_id, unit_code, number);

CREATE TABLE handover (
    jurisdiction_id BIGINT NOT NULL,
    post_code       TEXT   NOT NULL,
    at              BIGINT NOT NULL,
    -- Who held the post then.
    account_id      BIGINT NOT NULL,
    note            TEXT   NOT NULL,
    PRIMARY KEY (jurisdiction_id, post_code, at, account_id)
) /* sqlite: STRICT, WITHOUT ROWID */;
