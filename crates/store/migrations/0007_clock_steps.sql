-- Clocks that act.

-- When the next step of a running clock's ladder is due; 9223372036854775807 when none is.
ALTER TABLE cases ADD COLUMN step_at BIGINT NOT NULL DEFAULT 9223372036854775807;

-- What SQLite finds in memory; see open_cases.rs.
/* not sqlite */ CREATE INDEX cases_by_step ON cases (jurisdiction_id, step_at, number) WHERE step_at < 9223372036854775807;
