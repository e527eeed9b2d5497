-- An address of a calendar that can be changed.

-- How often an account took a new one. An older program makes and takes the first address only.
ALTER TABLE account ADD COLUMN calendar BIGINT NOT NULL DEFAULT 0;
