-- name: next_number
-- For people, in the order of arrival. A request that is undone leaves a gap.
SELECT nextval('ticket_number') AS number;

-- name: lock
-- Whoever changes this ticket waits until the others have.
SELECT t.id, state, sealed, customer, (SELECT wrapped FROM subject_key k WHERE k.subject = t.customer) AS wrapped
FROM ticket t WHERE id = %(id)s FOR UPDATE OF t;

-- name: lock_several
-- In order of id, so that two who lock the same never wait for each other.
SELECT t.id, state, sealed, customer, (SELECT wrapped FROM subject_key k WHERE k.subject = t.customer) AS wrapped
FROM ticket t WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE OF t;

-- name: find
-- By its id or by its number.
SELECT t.id, state, sealed, customer, (SELECT wrapped FROM subject_key k WHERE k.subject = t.customer) AS wrapped
FROM ticket t WHERE id = %(id)s OR number = %(number)s;

-- name: of_event
-- The ticket that a message is in.
SELECT ticket FROM ticket_message WHERE event = %(event)s;

-- name: key
-- What opens and seals the words of this customer; none where it was destroyed.
SELECT wrapped FROM subject_key WHERE subject = %(subject)s;

-- name: keep
-- The fold of the changes, as they are now.
INSERT INTO ticket AS t (id, number, customer, status, priority, owner_type, owner_id, tags, version, updated_at,
                         snoozed_until, merged_into, jurisdiction, state, sealed)
VALUES (%(id)s, %(number)s, %(customer)s, %(status)s, %(priority)s, %(owner_type)s, %(owner_id)s, %(tags)s, %(version)s,
        %(updated_at)s, %(snoozed_until)s, %(merged_into)s, %(jurisdiction)s, %(state)s, %(sealed)s)
ON CONFLICT (id) DO UPDATE SET status = EXCLUDED.status, priority = EXCLUDED.priority, owner_type = EXCLUDED.owner_type,
  owner_id = EXCLUDED.owner_id, tags = EXCLUDED.tags, version = EXCLUDED.version, updated_at = EXCLUDED.updated_at,
  snoozed_until = EXCLUDED.snoozed_until, merged_into = EXCLUDED.merged_into, jurisdiction = EXCLUDED.jurisdiction, state = EXCLUDED.state,
  sealed = coalesce(EXCLUDED.sealed, t.sealed);

-- name: add_change
-- The next version is taken once.
INSERT INTO ticket_change (ticket, version, at, by, name, body, sealed)
VALUES (%(ticket)s, %(version)s, %(at)s, %(by)s, %(name)s, %(body)s, %(sealed)s);

-- name: link
-- The message is in this ticket now.
INSERT INTO ticket_message (event, ticket) SELECT unnest(%(events)s::text[]), %(ticket)s
ON CONFLICT (event) DO UPDATE SET ticket = EXCLUDED.ticket;

-- name: look_at
-- When the clocks of a ticket have to be looked at again.
UPDATE ticket SET look_at = %(at)s WHERE id = %(id)s;

-- name: history
-- Everything that happened to these tickets, in order, with what opens the words in it.
SELECT c.ticket, c.version, c.at, c.by, c.name, c.body, c.sealed, t.customer,
       (SELECT wrapped FROM subject_key k WHERE k.subject = t.customer) AS wrapped
FROM ticket_change c JOIN ticket t ON t.id = c.ticket WHERE c.ticket = ANY(%(tickets)s) ORDER BY c.position;

-- name: messages
-- The turns of a ticket with what opens them, as the warehouse gives the bodies of conversations.
SELECT e.position, e.id, e.kind, e.author, e.channel, e.at, e.in_reply_to, e.addressed_to, e.language, e.sentiment,
       e.urgency, e.signals, e.evidence, e.subject, e.body,
       (SELECT wrapped FROM subject_key k WHERE k.subject = e.subject) AS wrapped
FROM ticket_message m JOIN event e ON e.id = m.event WHERE m.ticket = %(ticket)s ORDER BY e.at, e.id;

-- name: page
-- A page of tickets, newest first, so that a cursor stays where it is while tickets change.
SELECT t.id, number, state, sealed, customer, (SELECT wrapped FROM subject_key k WHERE k.subject = t.customer) AS wrapped
FROM ticket t
WHERE (%(before)s::bigint IS NULL OR number < %(before)s)
  AND (%(status)s::text IS NULL OR status = %(status)s)
  AND (%(owner_type)s::text IS NULL OR owner_type = %(owner_type)s)
  AND (%(owner_id)s::text IS NULL OR owner_id = %(owner_id)s)
  AND (%(tag)s::text IS NULL OR tags @> ARRAY[%(tag)s::text])
  AND (%(customers)s::text[] IS NULL OR customer = ANY(%(customers)s))
  AND (%(jurisdictions)s::text[] IS NULL OR jurisdiction = '' OR jurisdiction = ANY(%(jurisdictions)s)
       OR split_part(jurisdiction, '-', 1) = ANY(%(jurisdictions)s))
  AND (%(updated_since)s::timestamptz IS NULL OR updated_at >= %(updated_since)s)
ORDER BY number DESC LIMIT %(limit)s;

-- name: load
-- How many tickets each person works on.
SELECT owner_id, count(*) AS tickets FROM ticket
WHERE owner_type = 'person' AND status NOT IN ('resolved', 'closed') GROUP BY owner_id;

-- name: to_wake
-- Whose snooze is over.
SELECT id FROM ticket WHERE snoozed_until <= %(now)s ORDER BY snoozed_until LIMIT %(limit)s;

-- name: to_look_at
-- Whose promise is near its end or past it.
SELECT id FROM ticket WHERE look_at <= %(now)s ORDER BY look_at LIMIT %(limit)s;

-- name: ids
-- Every ticket, in order, to be compared with its changes.
SELECT id FROM ticket WHERE id > %(after)s ORDER BY id LIMIT %(limit)s;

-- name: linked
-- The messages that the tables say these tickets have.
SELECT ticket, event FROM ticket_message WHERE ticket = ANY(%(tickets)s);

-- name: columns
-- What stands beside the folded state, which must say the same.
SELECT id, number, customer, status, priority, owner_type, owner_id, tags, version, updated_at, snoozed_until, merged_into, jurisdiction
FROM ticket WHERE id = ANY(%(tickets)s);
