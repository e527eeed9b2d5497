-- More ways to sign in than a password: a provider of OpenID Connect, and passkeys.

-- Whether more was shown than a password when it was opened: a passkey, or a second factor at the provider.
ALTER TABLE session ADD COLUMN is_strong BOOLEAN NOT NULL DEFAULT FALSE;

-- Who an account is at a provider.
CREATE TABLE account_link (
    jurisdiction_id BIGINT NOT NULL,
    account_id      BIGINT NOT NULL,
    issuer          TEXT   NOT NULL,
    -- By which the provider tells people apart for ever. Before the first sign-in there is only the name.
    subject         TEXT,
    -- What the provider calls them: by it an administrator says who may come, and by it people know the link.
    name            TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    used_at         BIGINT,
    PRIMARY KEY (jurisdiction_id, account_id, issuer),
    UNIQUE (jurisdiction_id, issuer, subject),
    FOREIGN KEY (jurisdiction_id, account_id) REFERENCES account (jurisdiction_id, account_id)
) /* sqlite: STRICT, WITHOUT ROWID */;

-- A name is awaited for one account alone.
CREATE UNIQUE INDEX account_link_awaited ON account_link (jurisdiction_id, issuer, name) WHERE subject IS NULL;

-- Public keys, each of which signs one account in.
CREATE TABLE passkey (
    jurisdiction_id BIGINT NOT NULL,
    credential_id   BYTEA  NOT NULL,
    account_id      BIGINT NOT NULL,
    -- What its holder calls it.
    name            TEXT   NOT NULL,
    -- By which the device knows the account: random, the same for all passkeys of an account.
    user_handle     BYTEA  NOT NULL,
    -- The public key, the counter, and what else is checked; JSON. Nothing of it is secret.
    credential      TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    used_at         BIGINT,
    PRIMARY KEY (jurisdiction_id, credential_id),
    FOREIGN KEY (jurisdiction_id, account_id) REFERENCES account (jurisdiction_id, account_id)
) /* sqlite: STRICT, WITHOUT ROWID */;

CREATE INDEX passkey_by_account ON passkey (jurisdiction_id, account_id);

-- What was begun and waits for its answer: the way to the provider and back, the challenge of a passkey.
CREATE TABLE sign_in_step (
    jurisdiction_id BIGINT NOT NULL,
    -- Of what comes back with the answer.
    step_hash       BYTEA  NOT NULL,
    -- Of the cookie of the browser that began it; from another one no answer is taken.
    browser_hash    BYTEA  NOT NULL,
    kind            TEXT   NOT NULL,
    -- What the answer is compared with.
    held            TEXT   NOT NULL,
    expires_at      BIGINT NOT NULL,
    -- An answer is taken once.
    taken_at        BIGINT,
    PRIMARY KEY (jurisdiction_id, step_hash)
) /* sqlite: STRICT, WITHOUT ROWID */;

CREATE INDEX sign_in_step_by_expiry ON sign_in_step (jurisdiction_id, expires_at);
