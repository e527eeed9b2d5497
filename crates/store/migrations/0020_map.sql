-- The map is made from one index alone: the one by place has now what a map shows of a case. Open cases are not in SQLite's;
-- there are few, and they are found by the index of their numbers.

DROP INDEX cases_by_spot;
CREATE INDEX cases_by_spot ON cases (jurisdiction_id, spot, is_public, is_open, stage, service_code, reported_at, number) WHERE spot IS NOT NULL /* sqlite: AND is_open = 0 */;
