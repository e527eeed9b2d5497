-- Rounds: what was looked at, and when. The rounds themselves are in the place folder.

-- Every look at a stop. By which post is not kept here: the looks of one post in their order would be a track.
CREATE TABLE look (
    jurisdiction_id BIGINT NOT NULL,
    look_id         BIGINT NOT NULL,
    stop_code       TEXT   NOT NULL,
    -- fine, reported, fixed
    finding         TEXT   NOT NULL,
    -- What was found, where it was reported.
    case_number     BIGINT,
    -- By the clock of whoever looked, and by that of the server.
    made_at         BIGINT NOT NULL,
    received_at     BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id, look_id)
) /* sqlite: STRICT, WITHOUT ROWID */;

CREATE INDEX look_by_stop ON look (jurisdiction_id, stop_code, made_at);

-- The last look at each stop, and by which post.
CREATE TABLE last_look (
    jurisdiction_id BIGINT NOT NULL,
    stop_code       TEXT   NOT NULL,
    finding         TEXT   NOT NULL,
    made_at         BIGINT NOT NULL,
    received_at     BIGINT NOT NULL,
    post_code       TEXT   NOT NULL,
    PRIMARY KEY (jurisdiction_id, stop_code)
) /* sqlite: STRICT, WITHOUT ROWID */;
