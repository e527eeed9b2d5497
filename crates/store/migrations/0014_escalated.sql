-- Limits of joint units act as those of the whole do, and lists know what was escalated.

-- How high up a case was told of: 0 for not at all, then from the unit that must act, 1, to the station of the city, 5.
ALTER TABLE cases ADD COLUMN escalated BIGINT NOT NULL DEFAULT 0;

-- A quotation mark that somebody wrote has a backslash before it there, so this finds the flag alone.
UPDATE cases
SET escalated = CASE
    WHEN fold LIKE '%"escalated":"city"%' THEN 5
    WHEN fold LIKE '%"escalated":"town"%' THEN 4
    WHEN fold LIKE '%"escalated":"community"%' THEN 3
    WHEN fold LIKE '%"escalated":"parent_unit"%' THEN 2
    ELSE 1
END
WHERE fold LIKE '%"escalated":"%';

-- What was escalated is little of all, so these cost other cases nothing. Open ones SQLite finds in memory; see open_cases.rs.
CREATE INDEX escalated_cases_by_report ON cases (jurisdiction_id, reported_at, number, escalated, is_open) WHERE escalated > 0;
CREATE INDEX escalated_cases_by_update ON cases (jurisdiction_id, updated_at, number, escalated, is_open) WHERE escalated > 0;
/* not sqlite */ CREATE INDEX escalated_cases_by_due ON cases (jurisdiction_id, due_at, number, escalated) WHERE is_open = 1 AND escalated > 0;
