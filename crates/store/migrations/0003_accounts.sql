-- Who may come in: accounts with the posts they hold, their sessions, and the keys of other systems.

CREATE TABLE account (
    jurisdiction_id BIGINT NOT NULL,
    account_id      BIGINT NOT NULL,
    login           TEXT   NOT NULL,
    -- An argon2id string.
    password        TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    disabled_at     BIGINT,
    PRIMARY KEY (jurisdiction_id, account_id),
    UNIQUE (jurisdiction_id, login)
) /* sqlite: STRICT, WITHOUT ROWID */;

CREATE TABLE holding (
    jurisdiction_id BIGINT NOT NULL,
    account_id      BIGINT NOT NULL,
    post_code       TEXT   NOT NULL,
    PRIMARY KEY (jurisdiction_id, account_id, post_code),
    FOREIGN KEY (jurisdiction_id, account_id) REFERENCES account (jurisdiction_id, account_id)
) /* sqlite: STRICT, WITHOUT ROWID */;

CREATE TABLE session (
    jurisdiction_id BIGINT NOT NULL,
    -- Of the token in the cookie; the token itself is nowhere.
    token_hash      BYTEA  NOT NULL,
    account_id      BIGINT NOT NULL,
    post_code       TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id, token_hash),
    FOREIGN KEY (jurisdiction_id, account_id) REFERENCES account (jurisdiction_id, account_id)
) /* sqlite: STRICT, WITHOUT ROWID */;

CREATE INDEX session_by_expiry ON session (jurisdiction_id, expires_at);

CREATE TABLE api_key (
    jurisdiction_id BIGINT NOT NULL,
    key_id          BIGINT NOT NULL,
    key_hash        BYTEA  NOT NULL,
    -- What it is for: a system, never a person.
    name            TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT,
    revoked_at      BIGINT,
    PRIMARY KEY (jurisdiction_id, key_id),
    UNIQUE (jurisdiction_id, key_hash)
) /* sqlite: STRICT, WITHOUT ROWID */;
