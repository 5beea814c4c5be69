-- name: write_with_batches
-- Shared among those who write event by event; a batch, which resolves threads from what it read at its start, has it alone.
-- A process that is stopped midway must not hold its locks for ever.
SELECT set_config('idle_in_transaction_session_timeout', '60s', true), pg_try_advisory_xact_lock_shared(7310001) AS taken,
       (SELECT definitions FROM projection WHERE name = 'profile') AS definitions;

-- name: defined
-- The first event of a store says what its profiles are made with.
INSERT INTO projection (name, definitions, position) VALUES ('profile', %(definitions)s, 0) ON CONFLICT DO NOTHING;

-- name: lock
-- Whoever changes these identities and threads waits until the others have. In order, so that two never wait for each other
-- unless a thread joins another midway.
SELECT pg_advisory_xact_lock(key) FROM unnest(%(keys)b::bigint[]) AS key;

-- name: append
-- Positions are known before, so nobody has to read them back; an id is taken once. What was new counts for its source's hour.
WITH reserved AS MATERIALIZED (SELECT reserve_positions(cardinality(%(id)b::text[])) AS first), taken AS (
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
RETURNING id, position, source, kind, at, received_at
), counted AS (
INSERT INTO source_hour AS h (hour, source, kind, writer, events, slow, newest)
SELECT date_trunc('hour', received_at, 'UTC'), source, kind, pg_backend_pid(), count(*),
       count(*) FILTER (WHERE received_at - at > %(slow)s), max(at)
FROM taken GROUP BY 1, 2, 3
ON CONFLICT (hour, source, kind, writer) DO UPDATE SET events = h.events + EXCLUDED.events, slow = h.slow + EXCLUDED.slow,
  newest = greatest(h.newest, EXCLUDED.newest)
)
SELECT id, position FROM taken;

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

-- name: partitions
-- How much of each outside stream waits, as far as its worker knows.
SELECT stream, partition, newest_offset - next_offset AS waiting FROM source_offset;

-- name: read
-- In order, and only what ended transactions wrote before any that is still open: those grow together with positions, so
-- that nothing can appear before what was read. See reserve_positions.
SELECT position, id, kind, identity, channel, addressed_to, (extract(epoch FROM at) * 1000000)::bigint AS at, at AS happened_at,
       language, sentiment, urgency, signals, attributes, source
FROM event WHERE position > %(after)s AND tx < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY position LIMIT %(limit)s;

-- name: end
-- See read.
SELECT position FROM event WHERE tx < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY position DESC LIMIT 1;

-- name: before
-- What came of an identity before a position, as the fold takes it.
SELECT kind, (extract(epoch FROM at) * 1000000)::bigint AS at, channel, addressed_to, language, sentiment, urgency, signals,
       attributes
FROM event WHERE identity = %(identity)s AND position < %(position)s LIMIT %(limit)s;

-- name: of_identities
-- Everything of some identities, and whether a reader who began and ended at these transactions saw it: surely, perhaps, or not.
SELECT position, id, kind, identity, author, channel, (extract(epoch FROM at) * 1000000)::bigint AS at, in_reply_to,
       addressed_to, language, sentiment, urgency, signals, evidence, attributes,
       tx < %(known_before)s::xid8 AS known, tx >= %(known_before)s::xid8 AND tx < %(unknown_from)s::xid8 AS perhaps
FROM event WHERE identity = ANY(%(identities)s);

-- name: seen
-- The same for single positions.
SELECT position, tx < %(known_before)s::xid8 AS known,
       tx >= %(known_before)s::xid8 AND tx < %(unknown_from)s::xid8 AS perhaps
FROM event WHERE position = ANY(%(positions)s);

-- name: horizon
-- The transactions that a reader sees nothing of, the oldest still open first; none while a file's events are in the log
-- and not yet in the profiles.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS oldest_open
WHERE NOT EXISTS (SELECT FROM ingest_run r WHERE state <> 'done' AND EXISTS (SELECT FROM ingest_block b WHERE b.run_id = r.id));

-- name: sources
-- How new each source's newest event is, and since when it has been counted.
SELECT source, max(newest) AS newest, min(hour) AS since FROM source_hour GROUP BY source;

-- name: hours
-- The counts of these hours, whoever wrote them.
SELECT source, hour, kind, sum(events)::bigint AS events, sum(slow)::bigint AS slow FROM source_hour
WHERE hour = ANY(%(hours)s) GROUP BY source, hour, kind;

-- name: forget_hours
-- With these nothing is compared any more.
DELETE FROM source_hour WHERE hour < %(before)s;
