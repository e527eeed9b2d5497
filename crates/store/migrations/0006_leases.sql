-- What processes on one database agree on through it.

-- Who looks after a duty. No clock is compared: the holder counts the beat up, and who has seen it stand still for long
-- enough takes over. See store/lease.rs.
CREATE TABLE lease (
    jurisdiction_id BIGINT NOT NULL,
    name            TEXT   NOT NULL,
    -- A process; empty when it was given up.
    holder          TEXT   NOT NULL,
    -- Counts up with every change of hands; what is written for the duty is written under it.
    token           BIGINT NOT NULL,
    beat            BIGINT NOT NULL,
    -- When a duty that has a pace was last done; none while it never was.
    done_at         BIGINT,
    PRIMARY KEY (jurisdiction_id, name)
) /* sqlite: STRICT, WITHOUT ROWID */;

-- Tries to sign in that did not succeed, by the name that was given, whether anybody has it or not.
CREATE TABLE sign_in_try (
    jurisdiction_id BIGINT NOT NULL,
    login_hash      BYTEA  NOT NULL,
    tries           BIGINT NOT NULL,
    -- When the first of them was.
    since           BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id, login_hash)
) /* sqlite: STRICT, WITHOUT ROWID */;

-- The oldest schema version whose program works on this one; none where no older does. See store/migrate.rs.
ALTER TABLE migration ADD COLUMN reads_from BIGINT;
