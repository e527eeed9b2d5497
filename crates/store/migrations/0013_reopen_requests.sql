-- Requests to reopen have a limit, so they are looked for by the clocks. There are few at any time.
CREATE INDEX reopen_requests ON cases (jurisdiction_id, number) WHERE stage = 'reopen_requested';
