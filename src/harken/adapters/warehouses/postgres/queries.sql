-- name: lock_batch
-- One batch writes at a time: two would resolve the same threads from half of each other's events.
SELECT pg_try_advisory_lock(7310001) AS locked;

-- name: unlock_batch
-- At once, where the end of a connection is only noticed after a moment.
SELECT pg_advisory_unlock(7310001);

-- name: holds_turn
-- A server that was restarted has forgotten the lock, and another batch may have taken it.
SELECT count(*) > 0 AS holds FROM pg_locks WHERE locktype = 'advisory' AND objid = 7310001 AND pid = pg_backend_pid();

-- name: unfinished_run
-- The same content, read in the same way, continues the run that was interrupted.
SELECT id FROM ingest_run
WHERE fingerprint = %(fingerprint)s AND format = %(format)s AND state <> 'done' AND settings ->> 'columns' = %(columns)s
ORDER BY id DESC LIMIT 1;

-- name: unsettled_runs
-- Interrupted runs whose events are in the log and nowhere else, because their file never came again.
SELECT id FROM ingest_run WHERE state <> 'done' AND id <> %(but)s AND id IN (SELECT run_id FROM ingest_block)
ORDER BY id;

-- name: resume_run
-- The old error is history once the run goes on.
UPDATE ingest_run SET state = 'running', error = NULL WHERE id = %(id)s;

-- name: start_run
-- Written before the first row, so that a kill leaves a trace.
INSERT INTO ingest_run (source, fingerprint, format, engine, who, settings, started_at)
VALUES (%(source)s, %(fingerprint)s, %(format)s, %(engine)s, %(who)s, %(settings)s, %(started_at)s)
RETURNING id;

-- name: done_blocks
-- What a resumed run may skip.
SELECT digest, inserted, duplicates FROM ingest_block WHERE run_id = %(id)s;

-- name: finish_run
-- The counts are the report, kept.
UPDATE ingest_run SET state = 'done', finished_at = %(at)s, counts = %(counts)s, watermark = %(watermark)s
WHERE id = %(id)s;

-- name: fail_run
-- One line says why; the next run with the same content resumes. A run that is folded in stays done: nothing repeats it.
UPDATE ingest_run SET state = 'failed', finished_at = %(at)s, error = %(error)s WHERE id = %(id)s AND state <> 'done';

-- name: keep_quarantined
-- A row that failed before fails only once, however often the file is read.
INSERT INTO quarantine (run_id, fingerprint, line, reason, format, sealed)
SELECT %(run)s, %(fingerprint)s, line, reason, %(format)s, sealed
FROM unnest(%(lines)s::bigint[], %(reasons)s::text[], %(sealed)s::bytea[]) AS failed (line, reason, sealed)
ON CONFLICT (fingerprint, line, reason) DO NOTHING;

-- name: quarantined
-- What still waits to be mended, oldest first.
SELECT id, line, reason, format, fingerprint, sealed FROM quarantine
WHERE released_at IS NULL AND id > %(after)s ORDER BY id LIMIT %(limit)s;

-- name: release
-- Mended rows stay on record with the moment they were taken in.
UPDATE quarantine SET released_at = %(at)s WHERE id = ANY(%(ids)s);

-- name: is_empty
-- An empty log lets the first load write without asking for duplicates.
SELECT NOT EXISTS (SELECT FROM event) AS empty;

-- name: definitions
-- States of other definitions cannot be merged into.
SELECT definitions FROM projection WHERE name = 'profile';

-- name: keys
-- Wrapped keys of the subjects that have one.
SELECT k.subject, k.wrapped FROM wanted w JOIN subject_key k ON k.subject = w.subject;

-- name: key_of
-- The same for a single subject, on a connection that is open already.
SELECT subject, wrapped FROM subject_key WHERE subject = %(subject)s;

-- name: add_keys
-- Another process may have made a subject's key meanwhile: the first one stays.
INSERT INTO subject_key (subject, wrapped) SELECT subject, wrapped FROM new_key ON CONFLICT (subject) DO NOTHING;

-- name: known
-- Which ids are in the log already.
SELECT e.id FROM wanted w JOIN event e ON e.id = w.id;

-- name: reserve_positions
-- A block's positions are known before it is written, so nobody has to read them back.
SELECT reserve_positions($1::bigint) AS first;

-- name: append_new
-- The primary key makes redelivery harmless: a row that is there stays as it is.
WITH put AS (
INSERT INTO event (position, id, kind, identity, author, channel, at, in_reply_to, addressed_to, subject, body, language,
                   sentiment, urgency, signals, evidence, attributes, source, run_id)
OVERRIDING SYSTEM VALUE
SELECT $1::bigint + row_number() OVER () - 1, id, kind, identity, author, channel, at, in_reply_to, addressed_to,
       subject, body, language, sentiment, urgency, signals, evidence, attributes, source, run_id
FROM incoming ON CONFLICT (id) DO NOTHING
RETURNING id
) SELECT count(*) AS inserted FROM put;

-- name: mark_block
-- In the block's own transaction: both or neither.
INSERT INTO ingest_block (run_id, digest, inserted, duplicates) VALUES ($1, $2, $3, $4)
ON CONFLICT (run_id, digest) DO NOTHING;

-- name: marked
-- What a block brought in: whoever does it a second time reports what the first time did.
SELECT inserted, duplicates FROM ingest_block WHERE run_id = $1 AND digest = $2;

-- name: thin
-- Everything of an event but its text.
SELECT position, id, kind, identity, author, channel, (extract(epoch FROM at) * 1000000)::bigint AS at, in_reply_to,
       addressed_to, language, sentiment, urgency, signals, evidence, attributes
FROM event
WHERE ($1::bigint = 0 OR run_id = $1) AND ($2::text = '' OR identity = ANY (string_to_array($2, E'\n')));

-- name: neighbours
-- Threads that new events may join: by their parents, by being somebody's missing parent, by missing the same parent,
-- or by the customer's messages that carry no reply link and are linked by time.
WITH touched AS (
  SELECT c.thread FROM wanted_parent p JOIN event e ON e.id = p.id JOIN turn t ON t.position = e.position
  JOIN conversation c ON c.no = t.conversation
  UNION SELECT c.thread FROM wanted_parent p JOIN conversation c ON c.thread = p.id
  UNION SELECT c.thread FROM wanted w JOIN conversation c ON c.thread = w.id
  UNION SELECT c.thread FROM wanted w JOIN event e ON e.id = w.id JOIN turn t ON t.position = e.position
  JOIN conversation c ON c.no = t.conversation
  UNION SELECT c.thread FROM wanted_identity i JOIN conversation c ON c.identity = i.identity
)
SELECT e.position, e.id, e.kind, e.identity, e.author, e.channel, (extract(epoch FROM e.at) * 1000000)::bigint AS at,
       e.in_reply_to, e.addressed_to, e.language, e.sentiment, e.urgency, e.signals, e.evidence, e.attributes, c.thread
FROM touched JOIN conversation c ON c.thread = touched.thread
CROSS JOIN LATERAL unnest(c.positions) AS at_position
JOIN event e ON e.position = at_position;

-- name: forget_turns
-- Their conversations are written anew in this transaction.
DELETE FROM turn USING conversation c, old_thread o WHERE c.thread = o.thread AND turn.conversation = c.no;

-- name: forget_conversations
-- See forget_turns.
DELETE FROM conversation c USING old_thread o WHERE c.thread = o.thread;

-- name: forget_every_turn
-- A rebuild starts from nothing.
DELETE FROM turn;

-- name: forget_every_conversation
-- See forget_every_turn.
DELETE FROM conversation;

-- name: forget_every_profile
-- See forget_every_turn.
DELETE FROM profile;

-- name: old_states
-- What new states are merged into; locked, so that no live fold slips between.
SELECT p.identity, p.state FROM new_profile n JOIN profile p ON p.identity = n.identity ORDER BY p.identity FOR UPDATE OF p;

-- name: put_profiles
-- Merged states replace the old ones.
INSERT INTO profile (identity, state) SELECT identity, state FROM merged_profile
ON CONFLICT (identity) DO UPDATE SET state = EXCLUDED.state;

-- name: reserve_numbers
-- A whole range at once.
SELECT setval('conversation_no', nextval('conversation_no') + greatest($1::bigint, 1) - 1) AS last;

-- name: settled
-- In the settling's own transaction: a run is folded in once, whatever is killed when. The watermark is kept with it,
-- so that nobody has to look through the log for it again: see newest.
UPDATE ingest_run SET state = 'done', watermark = (SELECT max(at) FROM event) WHERE id = $1;

-- name: settled_everything
-- In the rebuild's own transaction: what interrupted runs brought in is folded in, and no later run may do so again.
UPDATE ingest_run SET state = 'done' WHERE state <> 'done' AND id IN (SELECT run_id FROM ingest_block);

-- name: projected
-- What the projections were made with: a changed definition calls for a rebuild.
INSERT INTO projection (name, definitions, position)
VALUES ($1, $2, coalesce((SELECT max(position) FROM event), 0))
ON CONFLICT (name) DO UPDATE SET definitions = EXCLUDED.definitions, position = EXCLUDED.position;

-- name: totals
-- What the store holds, for reports.
SELECT (SELECT count(*) FROM event) AS events,
       (SELECT count(*) FROM conversation) AS conversations,
       (SELECT count(*) FROM profile) AS customers,
       (SELECT max(at) FROM event) AS watermark,
       (SELECT coalesce(max(position), 0) FROM event) AS position,
       t.threads, t.largest
FROM (SELECT count(*) AS threads, coalesce(max(turns), 0) AS largest
      FROM (SELECT sum(cardinality(positions)) AS turns FROM conversation GROUP BY thread) AS trees) AS t;

-- name: newest
-- As of when, and up to where. An index on event (at) would cost every load; the runs remember it instead, and only a
-- store without a finished run looks through its log. What arrives live has happened by the time it was received.
SELECT greatest(coalesce((SELECT max(watermark) FROM ingest_run WHERE state = 'done'),
                         CASE WHEN live.received_at IS NULL THEN (SELECT max(at) FROM event) END), live.received_at) AS watermark,
       (SELECT coalesce(max(position), 0) FROM event) AS position,
       live.received_at IS NOT NULL AS live
FROM (SELECT max(received_at) AS received_at FROM event WHERE received_at IS NOT NULL) AS live;

-- name: people
-- Whom a name may mean: a customer's own id may be known at several sources, the full identity names one, and identities
-- that belong together are one customer. The sources are a handful, found by skipping through the index, so that this
-- costs the same in a store of any size.
WITH RECURSIVE step AS (
  (SELECT split_part(identity, ':', 1) AS namespace FROM profile ORDER BY identity LIMIT 1)
  UNION ALL
  SELECT (SELECT split_part(identity, ':', 1) FROM profile WHERE identity > step.namespace || ';' ORDER BY identity LIMIT 1)
  FROM step WHERE step.namespace IS NOT NULL
), named AS (
  SELECT %(customer)s::text AS identity UNION SELECT namespace || ':' || %(customer)s FROM step WHERE namespace IS NOT NULL
), found AS (
  SELECT identity FROM named WHERE EXISTS (SELECT FROM profile p WHERE p.identity = named.identity)
  UNION SELECT identity FROM named WHERE EXISTS (SELECT FROM identity_member m WHERE m.identity = named.identity)
)
SELECT f.identity AS customer, f.identity FROM found f
WHERE NOT EXISTS (SELECT FROM identity_member m WHERE m.identity = f.identity)
UNION SELECT all_of.customer, all_of.identity
FROM found f JOIN identity_member m ON m.identity = f.identity JOIN identity_member all_of ON all_of.customer = m.customer
ORDER BY 1, 2;

-- name: conflicts
-- Identifiers of these customers, or tied to them, that several customers claim.
SELECT identity, reason, customers FROM identity_conflict
WHERE identity = ANY(%(identities)s) OR customers && %(identities)s::text[] ORDER BY identity;

-- name: last_events
-- The newest first, a few of each identity from the index and the newest of those.
SELECT e.position, e.id, e.kind, e.identity, e.channel, e.at
FROM unnest(%(identities)s::text[]) AS who (identity)
CROSS JOIN LATERAL (SELECT position, id, kind, identity, channel, at FROM event
                    WHERE event.identity = who.identity ORDER BY at DESC, id DESC LIMIT %(limit)s) AS e
ORDER BY e.at DESC, e.id DESC LIMIT %(limit)s;

-- name: backlog
-- Only partitions in which something waits: an idle one is not behind.
SELECT coalesce(sum(newest_offset - next_offset), 0)::bigint AS events, min(moved_at) AS moved_at
FROM source_offset WHERE newest_offset > next_offset;

-- name: versions
-- The transaction that last wrote a state tells it from any other.
SELECT identity, xmin::text AS version FROM profile WHERE identity = ANY(%(identities)s);

-- name: merged
-- Customers of several identities, whom a range of identities would tear apart.
SELECT customer, array_agg(identity ORDER BY identity) AS identities FROM identity_member GROUP BY customer ORDER BY customer;

-- name: namespaces
-- The sources that identities come from: a handful, found by skipping through the index.
WITH RECURSIVE step AS (
  (SELECT split_part(identity, ':', 1) AS namespace FROM profile ORDER BY identity LIMIT 1)
  UNION ALL
  SELECT (SELECT split_part(identity, ':', 1) FROM profile WHERE identity > step.namespace || ';' ORDER BY identity LIMIT 1)
  FROM step WHERE step.namespace IS NOT NULL
)
SELECT namespace FROM step WHERE namespace IS NOT NULL;

-- name: shared_names
-- Names that two sources use for different customers: there the full identity is shown.
SELECT substr(identity, strpos(identity, ':') + 1) AS name FROM profile
WHERE (SELECT count(*) FROM unnest(%(sources)s::text[])) > 1
GROUP BY 1 HAVING count(*) > 1;

-- name: spans
-- Where to cut the identities into pieces of one size, and where to stop after the first so many.
SELECT identity, n = %(most)s + 1 AS beyond
FROM (SELECT identity, row_number() OVER (ORDER BY identity) AS n FROM profile ORDER BY identity LIMIT %(most)s + 1) AS numbered
WHERE n > 1 AND ((n - 1) %% %(size)s = 0 OR n = %(most)s + 1) ORDER BY identity;

-- name: dossiers
-- Conversations beside their customer's state, customers in order; those of several identities are asked for by themselves.
SELECT c.no, c.id, c.thread, c.identity, c.brand, c.channel, c.facts, c.positions, p.state
FROM conversation c JOIN profile p ON p.identity = c.identity
WHERE c.identity >= %(start)s AND (%(stop)s::text IS NULL OR c.identity < %(stop)s)
  AND NOT EXISTS (SELECT FROM identity_member m WHERE m.identity = c.identity)
ORDER BY c.identity, c.no;

-- name: conversations_of
-- All conversations of one customer, oldest first.
SELECT no, id, thread, identity, brand, channel, facts, positions FROM conversation
WHERE identity = ANY(%(identities)s) ORDER BY opened_at, no;

-- name: states
-- The mergeable states of one customer's identities.
SELECT identity, state FROM profile WHERE identity = ANY(%(identities)s) ORDER BY identity;

-- name: all_states
-- Every stored state, for the consistency check.
SELECT identity, state FROM profile ORDER BY identity;

-- name: all_facts
-- Every conversation's facts, for the same check.
SELECT id, facts FROM conversation ORDER BY id;

-- name: all_links
-- Every word on two identifiers and what follows from them, for the same check.
SELECT key, packed::text FROM (
  SELECT 'edge ' || kind || ' ' || one || ' ' || other AS key,
         jsonb_build_object('joined', joined, 'at', (extract(epoch FROM at) * 1000000)::bigint, 'event', event) AS packed
  FROM identity_edge
  UNION ALL SELECT 'member ' || identity, jsonb_build_object('customer', customer) FROM identity_member
  UNION ALL SELECT 'conflict ' || identity, jsonb_build_object('reason', reason, 'customers', customers) FROM identity_conflict
) AS told ORDER BY key COLLATE "C";

-- name: bodies
-- Turns with what opens them; a turn whose key is gone comes back without one. The key is looked up turn by turn: as
-- a join, the planner reads all keys for a few thousand turns.
SELECT e.position, e.id, e.kind, e.author, e.channel, e.at, e.in_reply_to, e.addressed_to, e.language, e.sentiment,
       e.urgency, e.signals, e.evidence, e.subject, e.body,
       (SELECT wrapped FROM subject_key k WHERE k.subject = e.subject) AS wrapped
FROM event e
WHERE e.position = ANY(%(positions)s::bigint[]);

-- name: record
-- The id is derived from the context: the same decision twice is one row.
INSERT INTO decision (id, customer, conversation, as_of, recorded_at, record, sealed)
SELECT id, customer, conversation, as_of, recorded_at, record, sealed FROM new_decision ON CONFLICT (id) DO NOTHING;

-- name: record_one
-- The same for a single decision, on a connection that is open already.
INSERT INTO decision (id, customer, conversation, as_of, recorded_at, record, sealed)
VALUES (%(id)s, %(customer)s, %(conversation)s, %(as_of)s, %(recorded_at)s, %(record)s, %(sealed)s)
ON CONFLICT (id) DO NOTHING;
