-- name: record
-- The database gives number, transaction and time: nobody who serves can choose them. Plain values: arrays of one cost half as much again.
INSERT INTO audit_event (actor, action, body) VALUES (%(actor)s, %(action)s, %(body)s);

-- name: records
-- Several in one journey.
INSERT INTO audit_event (actor, action, body)
SELECT * FROM unnest(%(actors)s::text[], %(actions)s::text[], %(bodies)s::text[]);

-- name: record_one
-- For a row elsewhere that refers to it.
INSERT INTO audit_event (actor, action, body) VALUES (%(actor)s, %(action)s, %(body)s) RETURNING id;

-- name: record_unwaited
-- One journey, and no wait for the disk: the setting holds for this statement's own transaction.
WITH unwaited AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO audit_event (actor, action, body) SELECT %(actor)s, %(action)s, %(body)s FROM unwaited;

-- name: take_turn
-- One seals at a time; another one waits for the end of this transaction and then finds less to do.
SELECT pg_advisory_xact_lock(7237482910266);

-- name: see_one_moment
-- Whoever verifies reads several tables: a turn of the sealer in between would look like tampering.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;

-- name: newest
-- Where the tree ended when it was last sealed.
SELECT size, root, epoch, system, horizon::text::bigint AS horizon, note FROM audit_checkpoint ORDER BY size DESC LIMIT 1;

-- name: server
-- Transaction numbers are one server's: another server's begin a new epoch. None below the horizon is still under way.
SELECT (SELECT system_identifier::text FROM pg_control_system()) AS system,
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon;

-- name: unsealed
-- In one statement, so that rows and horizon are of one snapshot. What was sealed early in an epoch's first turn is left out.
SELECT id, tx::text::bigint AS tx, (extract(epoch FROM ts) * 1000000)::bigint AS at_us, actor, action, body,
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon
FROM audit_event e
WHERE tx >= %(since)s::bigint::text::xid8 AND tx < pg_snapshot_xmin(pg_current_snapshot())
    AND NOT EXISTS (SELECT FROM audit_leaf l WHERE l.event = e.id)
ORDER BY e.tx, e.id
LIMIT %(most)s;

-- name: unsealed_anywhere
-- The first turn of an epoch: older rows have another server's transaction numbers, so all that is seen and has no leaf is taken.
SELECT id, tx::text::bigint AS tx, (extract(epoch FROM ts) * 1000000)::bigint AS at_us, actor, action, body
FROM audit_event e
WHERE NOT EXISTS (SELECT FROM audit_leaf l WHERE l.event = e.id)
ORDER BY e.tx, e.id
LIMIT %(most)s;

-- name: edge
-- Complete subtrees, of the tree's right edge or of a proof.
SELECT n.level, n.place, n.hash
FROM audit_node n JOIN unnest(%(levels)s::smallint[], %(places)s::bigint[]) AS wanted (level, place) USING (level, place);

-- name: leaves
-- The leaves of a stretch, in order: a proof looks at one block of 256.
SELECT place, hash FROM audit_leaf WHERE place >= %(since)s AND place < %(until)s ORDER BY place;

-- name: copy_leaves
-- By COPY: a turn seals up to ten thousand.
COPY audit_leaf (place, event, hash) FROM STDIN (FORMAT BINARY);

-- name: copy_nodes
-- As the leaves.
COPY audit_node (level, place, hash) FROM STDIN (FORMAT BINARY);

-- name: checkpoint
-- In the transaction of its leaves: there is no head without its tree, nor leaves that no head covers.
INSERT INTO audit_checkpoint (size, root, epoch, system, horizon, note)
VALUES (%(size)s, %(root)s, %(epoch)s, %(system)s, %(horizon)s::bigint::text::xid8, %(note)s);

-- name: checkpoints
-- Every head, for whoever verifies or exports.
SELECT size, root, epoch, system, horizon::text::bigint AS horizon, note FROM audit_checkpoint ORDER BY size;

-- name: checkpoint_of
-- One head by its size.
SELECT size, root, epoch, system, horizon::text::bigint AS horizon, note FROM audit_checkpoint WHERE size = %(size)s;

-- name: place_of
-- Where in the tree an event is.
SELECT place, hash FROM audit_leaf WHERE event = %(event)s;

-- name: event
-- One event, to be proved.
SELECT id, tx::text::bigint AS tx, (extract(epoch FROM ts) * 1000000)::bigint AS at_us, actor, action, body FROM audit_event WHERE id = %(event)s;

-- name: all_sealed
-- Leaves in order with their events; an event that is gone leaves its columns empty.
SELECT l.place, l.event, l.hash, e.id, e.tx::text::bigint AS tx, (extract(epoch FROM e.ts) * 1000000)::bigint AS at_us, e.actor, e.action, e.body
FROM audit_leaf l LEFT JOIN audit_event e ON e.id = l.event ORDER BY l.place;

-- name: all_nodes
-- Kept subtrees in the order in which they became complete.
SELECT level, place, hash FROM audit_node ORDER BY (place + 1) << level, level;

-- name: counts
-- How much there is, and how much of it waits to be sealed.
SELECT (SELECT count(*) FROM audit_event) AS events, (SELECT count(*) FROM audit_leaf) AS leaves,
    (SELECT count(*) FROM audit_node) AS nodes;

-- name: overlooked
-- What the newest head claims to hold and does not: an event below its horizon without a leaf.
SELECT id FROM audit_event e
WHERE tx < %(horizon)s::bigint::text::xid8 AND NOT EXISTS (SELECT FROM audit_leaf l WHERE l.event = e.id)
ORDER BY id LIMIT %(most)s;

-- name: waiting
-- For the page of metrics. Rows from the newest head's horizon on, the few that were sealed early counted out.
SELECT count(*) AS events, extract(epoch FROM clock_timestamp() - min(ts))::float8 AS age_s
FROM audit_event e
WHERE tx >= coalesce((SELECT horizon FROM audit_checkpoint ORDER BY size DESC LIMIT 1), '0'::xid8)
    AND NOT EXISTS (SELECT FROM audit_leaf l WHERE l.event = e.id);
