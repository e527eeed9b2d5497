-- What cases are found by when somebody searches. An older program would leave in it what is erased.

CREATE TABLE case_search (
    jurisdiction_id BIGINT   NOT NULL,
    number          BIGINT   NOT NULL,
    -- The version of the case that the words are of. Where something was erased: the one that tells of it, until the case is
    -- cut into words again; what was read before that is then not kept.
    version         BIGINT   NOT NULL,
    -- See whistle_domain::search::words.
    words           TSVECTOR NOT NULL,
    PRIMARY KEY (jurisdiction_id, number)
) /* sqlite: STRICT, WITHOUT ROWID */;

-- Without a list of what is still to be sorted in: each search would read all of that.
/* not sqlite */ CREATE INDEX case_search_words ON case_search USING GIN (words) WITH (fastupdate = off);

/* sqlite: CREATE VIRTUAL TABLE case_word USING fts5 (
    words, content = '', columnsize = 0, detail = none, tokenize = "ascii tokenchars '~#@&%=+_'"
);
INSERT INTO case_word (case_word, rank) VALUES ('secure-delete', 1); */

-- Cases that have changed since they were cut into words.
CREATE TABLE case_search_due (
    jurisdiction_id BIGINT NOT NULL,
    number          BIGINT NOT NULL,
    version         BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id, number, version)
) /* sqlite: STRICT, WITHOUT ROWID */;

-- How far all cases have been cut anew, since the rule or the names of the place are others: those below a number are still to
-- come. None where it was never begun.
CREATE TABLE case_search_pass (
    jurisdiction_id BIGINT NOT NULL PRIMARY KEY,
    rule            BYTEA  NOT NULL,
    below           BIGINT NOT NULL
) /* sqlite: STRICT */;
