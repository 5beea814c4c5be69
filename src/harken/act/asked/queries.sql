-- name: add
-- The id is derived from ticket, cause and arguments: proposed twice, it is one proposal.
INSERT INTO action_proposal (id, ticket, subject, cause, action, sealed, arguments_hash, amount_minor, currency, people,
  state, proposer, proposed_at, expires_at)
VALUES (%(id)s, %(ticket)s, %(subject)s, %(cause)s, %(action)s, %(sealed)s, %(arguments_hash)s, %(amount_minor)s,
  %(currency)s, %(people)s, %(state)s, %(proposer)s, %(proposed_at)s, %(expires_at)s)
ON CONFLICT (id) DO NOTHING RETURNING id;

-- name: take_turn
-- Two drafts for one customer at once would each see what the day still allows.
SELECT pg_advisory_xact_lock(%(key)s);

-- name: spent
-- What waits for people is spent already: else a hundred could be proposed before the first is approved.
SELECT action, currency, count(*) AS number, coalesce(sum(amount_minor), 0)::bigint AS minor FROM action_proposal
WHERE subject = %(subject)s AND proposed_at > %(since)s AND state NOT IN ('denied', 'expired', 'failed')
  AND id <> ALL(%(besides)s)
GROUP BY action, currency;

-- name: held
-- One person at a time, and nobody while it expires.
SELECT p.*, (SELECT wrapped FROM subject_key k WHERE k.subject = p.subject) AS wrapped
FROM action_proposal p WHERE id = %(id)s FOR UPDATE;

-- name: words
-- Everything that people said of these, also of arguments that were edited since.
SELECT proposal, arguments_hash, who, role, approved, at FROM action_approval
WHERE proposal = ANY(%(ids)s) ORDER BY at, who;

-- name: add_word
-- For good. The key lets nobody speak twice.
INSERT INTO action_approval (proposal, arguments_hash, who, role, approved, at)
VALUES (%(id)s, %(arguments_hash)s, %(who)s, %(role)s, %(approved)s, %(at)s);

-- name: turn_to
-- From one state to another, once.
UPDATE action_proposal SET state = %(state)s, decided_at = %(at)s WHERE id = %(id)s AND state = ANY(%(before)s) RETURNING id;

-- name: edit
-- Other arguments have another hash, to which nobody has said anything.
UPDATE action_proposal SET sealed = %(sealed)s, arguments_hash = %(arguments_hash)s, amount_minor = %(amount_minor)s,
  currency = %(currency)s, people = %(people)s WHERE id = %(id)s AND state = 'pending';

-- name: overdue
-- SKIP LOCKED leaves alone what somebody is deciding just now.
SELECT id, ticket, action, arguments_hash FROM action_proposal
WHERE state = 'pending' AND expires_at <= %(now)s ORDER BY proposed_at, id LIMIT %(most)s FOR UPDATE SKIP LOCKED;

-- name: page
-- Oldest first: who waits longest is looked at first.
SELECT p.*, (SELECT wrapped FROM subject_key k WHERE k.subject = p.subject) AS wrapped
FROM action_proposal p WHERE state = %(state)s AND (proposed_at, id) > (%(at)s, %(after)s)
ORDER BY proposed_at, id LIMIT %(most)s;

-- name: find
-- One, to be looked at.
SELECT p.*, (SELECT wrapped FROM subject_key k WHERE k.subject = p.subject) AS wrapped
FROM action_proposal p WHERE id = %(id)s;

-- name: of_ticket
-- What was asked for in this ticket, in order.
SELECT id, action, state, proposed_at FROM action_proposal WHERE ticket = %(ticket)s ORDER BY proposed_at, id;
