-- name: get_many
-- What has expired is not there, whether or not it was swept already.
SELECT key, value FROM knowledge_cache WHERE key = ANY(%(keys)s::bytea[]) AND expires_at > %(now)s;

-- name: put
-- Whoever comes last is right: the same key is the same answer, kept for longer.
INSERT INTO knowledge_cache (key, value, expires_at)
SELECT key, value, %(expires_at)s FROM unnest(%(keys)s::bytea[], %(values)s::bytea[]) AS given (key, value)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at;

-- name: sweep
-- The only thing that makes the table smaller.
DELETE FROM knowledge_cache WHERE expires_at <= %(now)s;
