-- What reporters erase.

-- A photo that was 'left' by a case whose reporter erased it: 'used' again where another case names it, else 'leaving'. No
-- older program knows of that, nor of the event that tells of an erasure.
CREATE INDEX photo_left ON photo (jurisdiction_id, photo_id) WHERE state = 'left';
