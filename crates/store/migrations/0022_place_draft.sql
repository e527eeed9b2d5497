-- Files that an administrator has sent, to look at what they would change before they are put in force: of each account one set, made
-- on one version.

CREATE TABLE place_draft (
    jurisdiction_id BIGINT NOT NULL,
    account_id      BIGINT NOT NULL,
    path            TEXT   NOT NULL,
    version         BIGINT NOT NULL,
    sent_at         BIGINT NOT NULL,
    content         BYTEA  NOT NULL,
    PRIMARY KEY (jurisdiction_id, account_id, path),
    FOREIGN KEY (jurisdiction_id, account_id) REFERENCES account (jurisdiction_id, account_id)
) /* sqlite: STRICT, WITHOUT ROWID */;
