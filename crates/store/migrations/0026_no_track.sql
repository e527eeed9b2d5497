-- Of a look at a stop, the day and the unit are kept; neither the minute nor the post, which together are nearly a track of a person.

ALTER TABLE last_look ADD COLUMN unit_code TEXT;
ALTER TABLE last_look DROP COLUMN post_code;

-- A day is its midnight UTC, whatever the place's zone. What was kept to the minute before loses it; by which day of the place it
-- was is not known here, and a look before eight in the morning may be that of the day before.
UPDATE look
SET made_at = made_at - made_at % 86400000000, received_at = received_at - received_at % 86400000000;
UPDATE last_look
SET made_at = made_at - made_at % 86400000000, received_at = received_at - received_at % 86400000000;

-- Looks that were kept for long enough.
CREATE INDEX look_by_day ON look (jurisdiction_id, made_at);

-- Files that nobody came back to go after some days. On which version they were made is not asked.
ALTER TABLE place_draft DROP COLUMN version;

-- The version that an act led to: a request that is sent again is told of that one, however the case or whistle went on since.
ALTER TABLE idempotency ADD COLUMN version BIGINT;
