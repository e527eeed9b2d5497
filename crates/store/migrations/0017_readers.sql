-- More readers of notices, and what they choose; addresses from which mail comes back; webhooks that are paused.

-- The case that a reader reported, where it was merged into the one that is told of; else 0. An older program would send what
-- is for them to who reported that one.
ALTER TABLE delivery ADD COLUMN merged_number BIGINT NOT NULL DEFAULT 0;

-- The address of somebody outside who is asked a question; gone when the question is over.
CREATE TABLE question_contact (
    jurisdiction_id BIGINT NOT NULL,
    number          BIGINT NOT NULL,
    -- The version of the case with which it was asked.
    question        BIGINT NOT NULL,
    -- Sealed with a key that is not in the database.
    sealed          BYTEA  NOT NULL,
    PRIMARY KEY (jurisdiction_id, number, question)
) /* sqlite: STRICT, WITHOUT ROWID */;

-- What a unit chose of its notices. What reporters chose is sealed with how they can be reached.
CREATE TABLE unit_choice (
    jurisdiction_id BIGINT NOT NULL,
    unit_code       TEXT   NOT NULL,
    -- all, milestones or answers.
    kinds           TEXT   NOT NULL,
    -- at_once or daily.
    pace            TEXT   NOT NULL,
    -- Empty for the place's own.
    lang            TEXT   NOT NULL,
    PRIMARY KEY (jurisdiction_id, unit_code)
) /* sqlite: STRICT, WITHOUT ROWID */;

-- Addresses from which mail came back, by a keyed hash.
CREATE TABLE failing_address (
    jurisdiction_id BIGINT NOT NULL,
    who             BYTEA  NOT NULL,
    failing_id      BIGINT NOT NULL,
    -- What the mail that came back last was about, and for whom it was.
    subject         TEXT   NOT NULL,
    number          BIGINT NOT NULL,
    report          BIGINT NOT NULL,
    unit_code       TEXT   NOT NULL,
    times           BIGINT NOT NULL,
    -- 1 when nothing is sent there any more.
    given_up        BIGINT NOT NULL,
    at              BIGINT NOT NULL,
    why             TEXT   NOT NULL,
    PRIMARY KEY (jurisdiction_id, who)
) /* sqlite: STRICT, WITHOUT ROWID */;

CREATE INDEX failing_by_id ON failing_address (jurisdiction_id, failing_id);

-- Since when a webhook is told nothing; none while it is told.
ALTER TABLE webhook ADD COLUMN paused_at BIGINT;
