-- name: set_aside
-- What was refused before is kept once, however often it is sent.
INSERT INTO rejected_event (source, reason, digest, sealed, received_at)
SELECT * FROM unnest(%(source)s::text[], %(reason)s::text[], %(digest)s::bytea[], %(sealed)s::bytea[], %(received_at)s::timestamptz[])
ON CONFLICT (source, reason, digest) DO NOTHING;

-- name: waiting
-- What waits to be mended, oldest first.
SELECT id, source, reason, digest, sealed, received_at FROM rejected_event
WHERE released_at IS NULL AND id > %(after)s ORDER BY id LIMIT %(limit)s;

-- name: release
-- What is taken in now stays on record with the moment.
UPDATE rejected_event SET released_at = %(at)s WHERE id = ANY(%(ids)s);
