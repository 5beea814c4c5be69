-- name: states
-- Of identities whose turn we have: see eventlog.store.lock.
SELECT identity, state FROM profile WHERE identity = ANY(%(identities)s);

-- name: keep
-- The folded states replace what was there.
INSERT INTO profile (identity, state) SELECT * FROM unnest(%(identities)b::text[], %(states)b::text[])
ON CONFLICT (identity) DO UPDATE SET state = EXCLUDED.state;

-- name: say
-- The newest word on two identifiers holds, in whatever order words come. Answers with the pairs whose word changed sides.
WITH was AS (
  SELECT s.one, s.other, s.kind, e.joined FROM
  unnest(%(one)b::text[], %(other)b::text[], %(kind)b::text[]) AS s (one, other, kind)
  LEFT JOIN identity_edge e USING (one, other, kind)
), now AS (
  INSERT INTO identity_edge AS e (one, other, kind, joined, at, event)
  SELECT one, other, kind, joined, 'epoch'::timestamptz + at * interval '1 microsecond', event
  FROM unnest(%(one)b::text[], %(other)b::text[], %(kind)b::text[], %(joined)b::boolean[], %(at)b::bigint[], %(event)b::text[])
       AS said (one, other, kind, joined, at, event)
  ON CONFLICT (one, other, kind) DO UPDATE SET joined = EXCLUDED.joined, at = EXCLUDED.at, event = EXCLUDED.event
  WHERE (EXCLUDED.at, NOT EXCLUDED.joined, EXCLUDED.event) > (e.at, NOT e.joined, e.event)
  RETURNING one, other, kind, joined
)
SELECT now.one, now.other FROM now JOIN was USING (one, other, kind) WHERE coalesce(was.joined, false) <> now.joined;

-- name: lock_identities
-- Joining is rare, and reaches identities that nobody named: one at a time until the transaction ends.
SELECT pg_advisory_xact_lock(7310003);

-- name: component
-- Every pair that holds around some identities: all that could change with them.
WITH RECURSIVE near AS (
  SELECT name FROM unnest(%(names)b::text[]) AS name
  UNION SELECT m.identity FROM identity_member m
  WHERE m.customer IN (SELECT customer FROM identity_member WHERE identity = ANY(%(names)b::text[]))
), reached AS (
  SELECT name FROM near
  UNION SELECT CASE WHEN e.one = r.name THEN e.other ELSE e.one END
  FROM reached r JOIN identity_edge e ON (e.one = r.name OR e.other = r.name) AND e.joined
)
SELECT r.name, e.one, e.other, e.kind FROM reached r LEFT JOIN identity_edge e ON e.one = r.name AND e.joined;

-- name: members
-- Whose they are now.
SELECT identity, customer FROM identity_member WHERE identity = ANY(%(names)s) ORDER BY identity;

-- name: forget_members
-- They are written anew in this transaction.
DELETE FROM identity_member WHERE identity = ANY(%(names)s);

-- name: forget_conflicts
-- As forget_members.
DELETE FROM identity_conflict WHERE identity = ANY(%(names)s);

-- name: join
-- Whose they are from now on.
INSERT INTO identity_member (identity, customer) SELECT * FROM unnest(%(names)b::text[], %(customers)b::text[]);

-- name: show_conflict
-- Nobody guesses; whoever reads the profile is shown it.
INSERT INTO identity_conflict (identity, reason, customers) VALUES (%(name)s, %(reason)s, %(customers)s);

-- name: changed
-- Who was who before and after, with the event that changed it.
INSERT INTO identity_change (event, changed_at, before, after) VALUES (%(event)s, %(at)s, %(before)s, %(after)s);

-- name: save_segment
-- A changed condition is looked at anew for everybody: see refresh.
INSERT INTO segment (name, condition, saved_at) VALUES (%(name)s, %(condition)s, %(at)s)
ON CONFLICT (name) DO UPDATE SET condition = EXCLUDED.condition, saved_at = EXCLUDED.saved_at;

-- name: drop_segment
-- With its members; what they entered and left stays on record.
DELETE FROM segment WHERE name = %(name)s;

-- name: segments
-- Every saved condition, and how many fulfil it.
SELECT s.name, s.condition, s.saved_at, (SELECT count(*) FROM segment_member m WHERE m.segment = s.name) AS members
FROM segment s ORDER BY s.name;

-- name: memberships
-- Which segments these customers are in.
SELECT segment, customer FROM segment_member WHERE customer = ANY(%(customers)s);

-- name: members_of
-- Who is in it, a page at a time.
SELECT customer, since FROM segment_member WHERE segment = %(segment)s AND customer > %(after)s ORDER BY customer LIMIT %(limit)s;

-- name: enter
-- Somebody fulfils the condition now.
INSERT INTO segment_member (segment, customer, since) VALUES (%(segment)s, %(customer)s, %(at)s) ON CONFLICT DO NOTHING;

-- name: leave
-- Somebody no longer does.
DELETE FROM segment_member WHERE segment = %(segment)s AND customer = %(customer)s;

-- name: changed_segment
-- In the transaction of the change.
INSERT INTO segment_change (segment, customer, entered, at, position)
VALUES (%(segment)s, %(customer)s, %(entered)s, %(at)s, %(position)s);

-- name: segment_changes
-- Entries and exits after one, oldest first.
SELECT id, customer, entered, at, position FROM segment_change WHERE segment = %(segment)s AND id > %(after)s
ORDER BY id LIMIT %(limit)s;

-- name: some_identities
-- Everybody, a page at a time, for a refresh.
SELECT identity FROM profile WHERE identity > %(after)s ORDER BY identity LIMIT %(limit)s;

-- name: keep_served
-- What was served, and from which transaction on nothing of the log can be in it. Not without end, should nobody check.
INSERT INTO served_profile (customer, identities, as_of, position, definitions, silence, features, served_at, known_before,
                            unknown_from)
SELECT %(customer)s, %(identities)s, %(as_of)s, %(position)s, %(definitions)s, %(silence)s, %(features)s, %(served_at)s,
       %(known_before)s::xid8, pg_snapshot_xmax(pg_current_snapshot())
WHERE (SELECT coalesce(max(id) - min(id), 0) FROM served_profile WHERE checked_at IS NULL) < %(most)s;

-- name: waiting
-- Served profiles that nobody has checked, oldest first.
SELECT id, customer, identities, as_of, position, definitions, silence, features, known_before::text, unknown_from::text
FROM served_profile WHERE checked_at IS NULL AND id > %(after)s ORDER BY id LIMIT %(limit)s;

-- name: forget_served
-- What was right need not be kept.
DELETE FROM served_profile WHERE id = %(id)s;

-- name: differs
-- What was not right is kept for whoever looks into it.
UPDATE served_profile SET checked_at = %(at)s, differs = %(differs)s WHERE id = %(id)s;

-- name: add_results
-- Whoever serves tells Prometheus what whoever checks has found.
INSERT INTO consistency AS c (result, number) SELECT * FROM unnest(%(results)b::text[], %(numbers)b::bigint[])
ON CONFLICT (result) DO UPDATE SET number = c.number + EXCLUDED.number;

-- name: consistency
-- All results so far.
SELECT result, number FROM consistency;

-- name: every_member
-- Whose they were before all of it is made anew.
SELECT identity, customer FROM identity_member ORDER BY identity;

-- name: every_pair
-- All that holds: what who is who is made of.
SELECT one, other, kind FROM identity_edge WHERE joined ORDER BY one, other, kind;

-- name: forget_every_edge
-- A rebuild starts from nothing: the log says all of it again.
DELETE FROM identity_edge;

-- name: forget_every_member
-- See forget_every_edge.
DELETE FROM identity_member;

-- name: forget_every_conflict
-- See forget_every_edge.
DELETE FROM identity_conflict;
