-- name: take
-- Held by the connection, so that it ends with the process, however that ends.
SELECT pg_try_advisory_lock(5204177103201116) AS taken;

-- name: let_go
-- The connection goes back to its pool and lives on.
SELECT pg_advisory_unlock(5204177103201116);

-- name: last_at
-- When it was last done by any process.
SELECT last_at FROM knowledge_job WHERE name = %(name)s;

-- name: was_done
-- The next process to ask finds it.
INSERT INTO knowledge_job (name, last_at) VALUES (%(name)s, %(at)s)
ON CONFLICT (name) DO UPDATE SET last_at = greatest(knowledge_job.last_at, excluded.last_at);
