-- name: enqueue
-- The id is derived from what caused it: caused twice, it is here once.
INSERT INTO outbox (id, ticket, subject, proposal, action, channel, effect, sealed, next_at, enqueued_at)
VALUES (%(id)s, %(ticket)s, %(subject)s, %(proposal)s, %(action)s, %(channel)s, %(effect)s, %(sealed)s,
  %(next_at)s, %(enqueued_at)s)
ON CONFLICT (id) DO NOTHING RETURNING id;

-- name: claim
-- SKIP LOCKED lets workers share the queue. A lease that ran out is free again, but for what may not be tried twice.
UPDATE outbox SET state = 'sending', fence = fence + 1, tries = tries + 1, leased_until = %(until)s,
  error = CASE WHEN state = 'sending' THEN 'unknown: whoever sent it stopped midway' ELSE error END
WHERE id = (
  SELECT id FROM outbox
  WHERE (state = 'waiting' AND next_at <= %(now)s) OR (state = 'sending' AND leased_until <= %(now)s)
  ORDER BY coalesce(leased_until, next_at) LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, ticket, subject, proposal, action, channel, effect, sealed, tries, fence, enqueued_at, error,
  (SELECT wrapped FROM subject_key k WHERE k.subject = outbox.subject) AS wrapped,
  (SELECT arguments_hash FROM action_proposal p WHERE p.id = outbox.proposal) AS arguments_hash;

-- name: claim_doubtful
-- Somebody began to send it and was never heard of again: whoever asks the other side takes it over.
UPDATE outbox SET fence = fence + 1, leased_until = %(until)s
WHERE id = (
  SELECT id FROM outbox
  WHERE state = 'in_doubt' AND leased_until <= %(now)s AND channel = ANY(%(channels)s)
  ORDER BY leased_until LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, ticket, subject, proposal, action, channel, effect, sealed, tries, fence, enqueued_at, error,
  (SELECT wrapped FROM subject_key k WHERE k.subject = outbox.subject) AS wrapped,
  (SELECT arguments_hash FROM action_proposal p WHERE p.id = outbox.proposal) AS arguments_hash;

-- name: abandoned
-- In doubt, with nobody to ask but people: told once, so the lease ends.
UPDATE outbox SET leased_until = NULL
WHERE id = (
  SELECT id FROM outbox WHERE state = 'in_doubt' AND leased_until <= %(now)s AND channel <> ALL(%(channels)s)
  ORDER BY leased_until LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, ticket, proposal, action, channel, error;

-- name: begin_unkeyed
-- Before the call, and only for who still holds the claim: a worker that slept past its lease sends nothing.
UPDATE outbox SET state = 'in_doubt', leased_until = %(until)s
WHERE id = %(id)s AND fence = %(fence)s AND state = 'sending' RETURNING id;

-- name: settle
-- Only the holder of the claim says what came of it.
UPDATE outbox SET state = %(state)s, next_at = coalesce(%(next_at)s, next_at), leased_until = NULL,
  finished_at = %(finished_at)s, receipt = %(receipt)s, error = %(error)s
WHERE id = %(id)s AND fence = %(fence)s AND state IN ('sending', 'in_doubt') RETURNING id;

-- name: add_call
-- A call that people make: the row is the effect, so it is written with its receipt.
INSERT INTO call_task (id, ticket, call_at, made_at) VALUES (%(id)s, %(ticket)s, %(call_at)s, %(made_at)s)
ON CONFLICT (id) DO NOTHING;

-- name: one
-- What a person decides on, held until they have.
SELECT id, ticket, proposal, action, channel, effect, state, fence, leased_until, error FROM outbox
WHERE id = %(id)s FOR UPDATE;

-- name: decide
-- A person's word also takes it from a worker that may still wake up.
UPDATE outbox SET state = %(state)s, fence = fence + 1, leased_until = NULL, next_at = %(now)s,
  tries = CASE WHEN %(state)s = 'waiting' THEN 0 ELSE tries END,
  finished_at = CASE WHEN %(state)s = 'waiting' THEN NULL ELSE %(now)s END
WHERE id = %(id)s;

-- name: page
-- What people look at, oldest first.
SELECT id, ticket, proposal, action, channel, effect, state, tries, enqueued_at, next_at, receipt, error FROM outbox
WHERE state = %(state)s AND (enqueued_at, id) > (%(at)s, %(after)s) ORDER BY enqueued_at, id LIMIT %(most)s;

-- name: waiting
-- For the page of metrics.
SELECT state, count(*) AS number, min(enqueued_at) AS oldest FROM outbox
WHERE state NOT IN ('delivered', 'dropped') GROUP BY state;

-- name: retry_unconfigured
-- At a start: somebody may have said meanwhile how the channel is reached.
UPDATE outbox SET state = 'waiting', next_at = %(now)s, tries = 0 WHERE state = 'unconfigured';
