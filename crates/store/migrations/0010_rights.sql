-- What keys may do, when sessions were last used, and the second factor of accounts.

-- Words with a space between them. A key from before may do what it could.
ALTER TABLE api_key ADD COLUMN scopes TEXT NOT NULL DEFAULT 'report update';

-- To within a few minutes; none since the session was opened.
ALTER TABLE session ADD COLUMN seen_at BIGINT;

CREATE INDEX session_by_account ON session (jurisdiction_id, account_id);

-- What an account shows besides its password: codes that change with time (RFC 6238).
CREATE TABLE second_factor (
    jurisdiction_id BIGINT NOT NULL,
    account_id      BIGINT NOT NULL,
    -- Sealed with a key that is not in the database.
    secret          BYTEA  NOT NULL,
    created_at      BIGINT NOT NULL,
    -- When the first code was right; before that, nobody is asked for one.
    confirmed_at    BIGINT,
    -- The last step of time whose code was taken; no code is taken twice.
    last_step       BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id, account_id),
    FOREIGN KEY (jurisdiction_id, account_id) REFERENCES account (jurisdiction_id, account_id)
) /* sqlite: STRICT, WITHOUT ROWID */;

-- For who has lost what shows the codes; each is good once.
CREATE TABLE recovery_code (
    jurisdiction_id BIGINT NOT NULL,
    account_id      BIGINT NOT NULL,
    code_hash       BYTEA  NOT NULL,
    PRIMARY KEY (jurisdiction_id, account_id, code_hash),
    FOREIGN KEY (jurisdiction_id, account_id) REFERENCES account (jurisdiction_id, account_id)
) /* sqlite: STRICT, WITHOUT ROWID */;
