-- name: take
-- One statement takes a request from the bucket and asks whether the token was revoked: no two can take the last one.
WITH taken AS (
  INSERT INTO rate_bucket AS b (key, tokens, at) VALUES (%(key)s, %(most)s::float8 - 1, %(now)s)
  ON CONFLICT (key) DO UPDATE SET
    tokens = least(%(most)s::float8, b.tokens + greatest(0, extract(epoch FROM %(now)s - b.at))::float8 * %(per_second)s::float8) - 1,
    at = greatest(b.at, %(now)s)
  WHERE least(%(most)s::float8, b.tokens + greatest(0, extract(epoch FROM %(now)s - b.at))::float8 * %(per_second)s::float8) >= 1
  RETURNING tokens
)
SELECT (SELECT tokens FROM taken) AS tokens, EXISTS (SELECT FROM revoked_token WHERE id = %(token)s) AS revoked;

-- name: bucket
-- Who was refused is told when to come again.
SELECT tokens, greatest(0, extract(epoch FROM %(now)s - at))::float8 AS age_s FROM rate_bucket WHERE key = %(key)s;

-- name: revoke
-- Kept until the token would have expired anyway.
INSERT INTO revoked_token (id, revoked_at, expires_at) VALUES (%(token)s, %(now)s, %(expires_at)s)
ON CONFLICT (id) DO NOTHING;

-- name: claim
-- The first takes the key; so does who finds an answer too old, or the same request given up by a process that died.
INSERT INTO idempotency AS i (caller, key, digest, attempt, running_until, expires_at)
VALUES (%(caller)s, %(key)s, %(digest)s, nextval('idempotency_attempt'), %(running_until)s, %(expires_at)s)
ON CONFLICT (caller, key) DO UPDATE SET
  digest = excluded.digest, attempt = excluded.attempt, running_until = excluded.running_until, sealed = NULL,
  expires_at = excluded.expires_at
WHERE i.expires_at <= %(now)s OR (i.running_until <= %(now)s AND i.digest = excluded.digest)
RETURNING attempt;

-- name: answered
-- Who does not get the key looks at what became of it.
SELECT digest, sealed FROM idempotency WHERE caller = %(caller)s AND key = %(key)s;

-- name: finish
-- Who was overtaken finds another attempt here and leaves it alone.
UPDATE idempotency SET sealed = %(sealed)s, running_until = NULL
WHERE caller = %(caller)s AND key = %(key)s AND attempt = %(attempt)s;

-- name: release
-- What did not succeed may be tried again with the same key.
DELETE FROM idempotency WHERE caller = %(caller)s AND key = %(key)s AND attempt = %(attempt)s;

-- name: give_ticket
-- Its digest only: who reads the table cannot enter with it.
INSERT INTO socket_ticket (id, sealed, expires_at) VALUES (%(id)s, %(sealed)s, %(expires_at)s);

-- name: take_ticket
-- Gone with the first who shows it, in time or late.
DELETE FROM socket_ticket WHERE id = %(id)s RETURNING sealed, expires_at;

-- name: add_client
-- A name is never given twice, so what the audit says of it stays true.
INSERT INTO oauth_client (id, secret, roles, scopes, jurisdictions, customer, minutes, added_at)
VALUES (%(id)s, %(secret)s, %(roles)s, %(scopes)s, %(jurisdictions)s, %(customer)s, %(minutes)s, %(now)s)
ON CONFLICT (id) DO NOTHING
RETURNING id;

-- name: clients
-- For people; nobody needs the secrets' digests.
SELECT id, roles, scopes, jurisdictions, customer, minutes, added_at, revoked_at FROM oauth_client ORDER BY id;

-- name: client
-- Who asks for a token.
SELECT id, secret, roles, scopes, jurisdictions, customer, minutes, added_at, revoked_at FROM oauth_client WHERE id = %(id)s;

-- name: revoke_client
-- Once: the moment stands.
UPDATE oauth_client SET revoked_at = %(now)s WHERE id = %(id)s AND revoked_at IS NULL
RETURNING id, roles, scopes, jurisdictions, customer, minutes, added_at, revoked_at;

-- name: sweep_buckets
-- A bucket that nobody took from for this long is full again.
DELETE FROM rate_bucket WHERE at < %(full)s;

-- name: sweep_revoked
-- An expired token is refused without this row.
DELETE FROM revoked_token WHERE expires_at < %(now)s;

-- name: sweep_answers
-- After their time the same key is a new request.
DELETE FROM idempotency WHERE expires_at < %(now)s;

-- name: sweep_tickets
-- Nobody came with them.
DELETE FROM socket_ticket WHERE expires_at < %(now)s;
