-- What changed lately, for those who look on.

CREATE INDEX whistle_by_update ON whistle (jurisdiction_id, updated_at, number);

-- Views of the queue: a filter under a name, of an account, or shared with who holds a post.
CREATE TABLE saved_view (
    jurisdiction_id BIGINT NOT NULL,
    view_id         BIGINT NOT NULL,
    account_id      BIGINT NOT NULL,
    -- NULL: the account's own.
    post_code       TEXT,
    name            TEXT   NOT NULL,
    -- The filter as it stands in an address.
    query           TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id, view_id),
    FOREIGN KEY (jurisdiction_id, account_id) REFERENCES account (jurisdiction_id, account_id)
) /* sqlite: STRICT, WITHOUT ROWID */;

CREATE INDEX saved_view_by_account ON saved_view (jurisdiction_id, account_id, name);
CREATE INDEX saved_view_by_post ON saved_view (jurisdiction_id, post_code, name);

-- The view that an account begins with.
ALTER TABLE account ADD COLUMN first_view BIGINT;
