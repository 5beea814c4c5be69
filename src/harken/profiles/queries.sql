-- name: states
-- Of identities whose turn we have: see eventlog.store.lock.
SELECT identity, state FROM profile WHERE identity = ANY(%(identities)s);

-- name: keep
-- The folded states replace what was there.
INSERT INTO profile (identity, state) SELECT * FROM unnest(%(identities)s::text[], %(states)s::text[])
ON CONFLICT (identity) DO UPDATE SET state = EXCLUDED.state;

-- name: say
-- The newest word on two identifiers holds, in whatever order words come. Answers with the pairs whose word changed sides.
WITH was AS (
  SELECT s.one, s.other, s.kind, e.joined FROM
  unnest(%(one)s::text[], %(other)s::text[], %(kind)s::text[]) AS s (one, other, kind)
  LEFT JOIN identity_edge e USING (one, other, kind)
), now AS (
  INSERT INTO identity_edge AS e (one, other, kind, joined, at, event)
  SELECT one, other, kind, joined, 'epoch'::timestamptz + at * interval '1 microsecond', event
  FROM unnest(%(one)s::text[], %(other)s::text[], %(kind)s::text[], %(joined)s::boolean[], %(at)s::bigint[], %(event)s::text[])
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
  SELECT name FROM unnest(%(names)s::text[]) AS name
  UNION SELECT m.identity FROM identity_member m
  WHERE m.customer IN (SELECT customer FROM identity_member WHERE identity = ANY(%(names)s::text[]))
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
INSERT INTO identity_member (identity, customer) SELECT * FROM unnest(%(names)s::text[], %(customers)s::text[]);

-- name: show_conflict
-- Nobody guesses; whoever reads the profile is shown it.
INSERT INTO identity_conflict (identity, reason, customers) VALUES (%(name)s, %(reason)s, %(customers)s);

-- name: changed
-- Who was who before and after, with the event that changed it.
INSERT INTO identity_change (event, changed_at, before, after) VALUES (%(event)s, %(at)s, %(before)s, %(after)s);

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
