-- name: write_with_batches
-- Shared among those who write event by event; a batch, which resolves threads from what it read at its start, has it alone.
SELECT pg_try_advisory_xact_lock_shared(7310001) AS taken,
       (SELECT definitions FROM projection WHERE name = 'profile') AS definitions;

-- name: defined
-- The first event of a store says what its profiles are made with.
INSERT INTO projection (name, definitions, position) VALUES ('profile', %(definitions)s, 0) ON CONFLICT DO NOTHING;

-- name: lock
-- Whoever changes these identities and threads waits until the others have. In order, so that two never wait for each other
-- unless a thread joins another midway.
SELECT pg_advisory_xact_lock(key) FROM unnest(%(keys)b::bigint[]) AS key;

-- name: append
-- Positions are known before, so nobody has to read them back; an id is taken once.
WITH reserved AS MATERIALIZED (SELECT reserve_positions(cardinality(%(id)b::text[])) AS first)
INSERT INTO event (position, id, kind, identity, author, channel, at, in_reply_to, addressed_to, subject, body, language,
                   sentiment, urgency, signals, evidence, attributes, source, received_at, digest)
OVERRIDING SYSTEM VALUE
SELECT (SELECT first FROM reserved) + place, id, kind, identity, author, channel, 'epoch'::timestamptz + at * interval '1 microsecond',
       in_reply_to, addressed_to, subject, body, language, sentiment, urgency, signals, evidence, attributes, source,
       received_at, digest
FROM unnest(%(place)b::bigint[], %(id)b::text[], %(kind)b::text[], %(identity)b::text[], %(author)b::text[],
            %(channel)b::text[], %(at)b::bigint[], %(in_reply_to)b::text[], %(addressed_to)b::text[], %(subject)b::text[],
            %(body)b::bytea[], %(language)b::text[], %(sentiment)b::smallint[], %(urgency)b::smallint[],
            %(signals)b::int[], %(evidence)b::text[], %(attributes)b::text[], %(source)b::text[],
            %(received_at)b::timestamptz[], %(digest)b::bytea[])
       AS arrived (place, id, kind, identity, author, channel, at, in_reply_to, addressed_to, subject, body, language,
                   sentiment, urgency, signals, evidence, attributes, source, received_at, digest)
ORDER BY id
ON CONFLICT (id) DO NOTHING
RETURNING id, position;

-- name: stored
-- What the log has under these ids: the same again, or something else.
SELECT id, position, subject, digest FROM event WHERE id = ANY(%(ids)s);

-- name: subjects_of
-- Whose key sealed these events: an answer of ours belongs to the customer whom it answers.
SELECT id, subject FROM event WHERE id = ANY(%(ids)s);

-- name: advance
-- The comparison keeps out a worker that was thought dead and still writes: it believes in an offset that is history.
UPDATE source_offset SET next_offset = %(upto)s, newest_offset = %(newest)s, moved_at = %(at)s
WHERE stream = %(stream)s AND partition = %(partition)s AND next_offset = %(expected)s;

-- name: begin
-- The first batch of a partition; where another worker was quicker nothing is inserted, and that worker has the turn.
INSERT INTO source_offset (stream, partition, next_offset, newest_offset, moved_at)
VALUES (%(stream)s, %(partition)s, %(upto)s, %(newest)s, %(at)s) ON CONFLICT DO NOTHING;

-- name: offset
-- Where a worker goes on that was handed this partition.
SELECT next_offset FROM source_offset WHERE stream = %(stream)s AND partition = %(partition)s;

-- name: changed
-- Whose events came since, as far as no earlier one can still come: up to the oldest transaction that has not ended.
SELECT position, identity, attributes FROM event
WHERE position > %(after)s AND tx < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY position LIMIT %(limit)s;
