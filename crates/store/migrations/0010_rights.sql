-- What keys may do, and when sessions were last used.

-- Words with a space between them. A key from before may do what it could.
ALTER TABLE api_key ADD COLUMN scopes TEXT NOT NULL DEFAULT 'report update';

-- To within a few minutes; none since the session was opened.
ALTER TABLE session ADD COLUMN seen_at BIGINT;

CREATE INDEX session_by_account ON session (jurisdiction_id, account_id);
