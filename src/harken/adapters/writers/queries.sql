-- name: reserve
-- One step for every process: each account grows only where it has room, and a missing row says which one had none.
WITH wanted AS (
  SELECT * FROM unnest(%(keys)s::text[], %(scopes)s::text[], %(usd_limits)s::float8[], %(token_limits)s::bigint[])
    AS given (account, scope, limit_usd, limit_tokens)
)
INSERT INTO model_spend AS held (account, scope, usd, tokens, limit_usd, limit_tokens, updated_at)
SELECT account, scope, %(usd)s::numeric, %(tokens)s::bigint, limit_usd::numeric, limit_tokens, %(now)s
FROM wanted
WHERE %(usd)s::numeric <= limit_usd::numeric AND (limit_tokens IS NULL OR %(tokens)s::bigint <= limit_tokens)
ORDER BY account COLLATE "C"
ON CONFLICT (account) DO UPDATE SET
  usd = held.usd + excluded.usd,
  tokens = held.tokens + excluded.tokens,
  limit_usd = excluded.limit_usd,
  limit_tokens = excluded.limit_tokens,
  updated_at = excluded.updated_at
WHERE held.usd + excluded.usd <= excluded.limit_usd
  AND (excluded.limit_tokens IS NULL OR held.tokens + excluded.tokens <= excluded.limit_tokens)
RETURNING account;

-- name: settle
-- What was set aside becomes what it cost. In the order of the accounts, so that two who settle never wait for each other.
WITH mine AS (
  SELECT account FROM model_spend WHERE account = ANY(%(keys)s::text[]) ORDER BY account FOR UPDATE
)
UPDATE model_spend SET usd = usd + %(usd)s::numeric, tokens = tokens + %(tokens)s::bigint, updated_at = %(now)s
FROM mine WHERE model_spend.account = mine.account
RETURNING model_spend.account, usd, tokens;

-- name: spent
-- An account that nobody has used yet has no row.
SELECT account, usd, tokens FROM model_spend WHERE account = ANY(%(keys)s::text[]);

-- name: tell
-- A threshold is passed once, whoever sees it first; people read these rows.
INSERT INTO budget_alert (account, scope, percent, usd, tokens, at)
VALUES (%(account)s, %(scope)s, %(percent)s, %(usd)s::numeric, %(tokens)s, %(at)s)
ON CONFLICT (account, percent) DO NOTHING
RETURNING account;

-- name: forget_spend
-- Days of customers are of no use after two months; days and months of the whole house stay.
DELETE FROM model_spend WHERE scope = 'customer' AND updated_at < %(before)s;

-- name: claim
-- Whoever comes first asks; a claim whose holder died ends by itself. An answer that was kept wins over any claim.
INSERT INTO model_answer AS held (key, claimed_until, expires_at)
VALUES (%(key)s, %(until)s, %(until)s)
ON CONFLICT (key) DO UPDATE SET
  claimed_until = excluded.claimed_until,
  expires_at = greatest(held.expires_at, excluded.expires_at),
  answer = NULL,
  kept = false
WHERE (held.claimed_until IS NULL OR held.claimed_until <= %(now)s)
  AND NOT (held.kept AND held.kept_until > %(now)s)
RETURNING key;

-- name: answer
-- What is there of a question: an answer that was kept or is fresh, or somebody who asks.
SELECT
  answer,
  kept AND kept_until > %(now)s AS kept,
  claimed_until IS NOT NULL AND claimed_until > %(now)s AS claimed,
  expires_at > %(now)s AS fresh
FROM model_answer WHERE key = %(key)s;

-- name: offer
-- The claim ends; whoever waited finds the answer, or none.
UPDATE model_answer SET claimed_until = NULL, answer = %(answer)s, expires_at = %(until)s
WHERE key = %(key)s AND NOT kept;

-- name: keep
-- The guards let it go out: it now serves whoever asks the same with the same rights.
INSERT INTO model_answer (key, answer, kept, kept_until, expires_at)
VALUES (%(key)s, %(answer)s, true, %(until)s, %(until)s)
ON CONFLICT (key) DO UPDATE SET
  answer = excluded.answer, kept = true, kept_until = excluded.kept_until, expires_at = excluded.expires_at;

-- name: forget_answers
-- The only thing that makes the table smaller.
DELETE FROM model_answer WHERE expires_at <= %(now)s;
