-- Briefings that were issued: never changed, so that two can be compared and each found by its hash.
CREATE TABLE briefing (
    jurisdiction_id BIGINT  NOT NULL,
    briefing_id     BIGINT  NOT NULL,
    -- The first and the last day, as 2025-06-30, in the place's time zone.
    period_from     TEXT    NOT NULL,
    period_to       TEXT    NOT NULL,
    -- zh, en
    language        TEXT    NOT NULL,
    template_hash   TEXT    NOT NULL,
    issued_at       BIGINT  NOT NULL,
    -- The post that issued it; empty where an operator did.
    post_code       TEXT    NOT NULL,
    -- Whether anybody may read it.
    public          BOOLEAN NOT NULL,
    -- JSON, as docs/briefing.md says.
    document        TEXT    NOT NULL,
    -- BLAKE3 of the document, in hexadecimal digits.
    hash            TEXT    NOT NULL,
    PRIMARY KEY (jurisdiction_id, briefing_id)
) /* sqlite: STRICT, WITHOUT ROWID */;
