-- name: take_turn
-- Two processes that migrate at once: the second waits, then finds nothing to do.
SELECT pg_advisory_lock(7237482910265);

-- name: end_turn
-- The session may go back to a pool, and would take the lock along.
SELECT pg_advisory_unlock(7237482910265);

-- name: limit_turn
-- For the session: long enough for another process's migrations.
SET lock_timeout = '120s';

-- name: limit_migration
-- A migration that waits for a busy table makes everybody else wait behind it: give up soon.
SET LOCAL lock_timeout = '4s';

-- name: make_history
-- Runs each time, because the first migration needs somewhere to be written down.
CREATE TABLE IF NOT EXISTS schema_migration (
    name text PRIMARY KEY,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL
);

-- name: has_history
-- Looking must not change anything, so the table may not be there.
SELECT to_regclass('schema_migration') IS NOT NULL;

-- name: history
-- In the order of their numbers, which is the order in which they were applied.
SELECT name, checksum FROM schema_migration ORDER BY name;

-- name: record
-- In the migration's own transaction: both or neither.
INSERT INTO schema_migration (name, checksum, applied_at) VALUES (%(name)s, %(checksum)s, %(at)s);

-- name: server
-- What the schema needs: a recent server, and pgvector on offer or already there.
SELECT
    current_setting('server_version_num')::int,
    current_setting('server_version'),
    (SELECT coalesce(installed_version, default_version) FROM pg_available_extensions WHERE name = 'vector');

-- name: effective_role
-- Three ways around row-level security: superuser, BYPASSRLS, and owning a table that does not force it.
SELECT
    rolname,
    rolsuper,
    rolbypassrls,
    EXISTS (
        SELECT FROM pg_class
        WHERE relrowsecurity AND NOT relforcerowsecurity AND pg_has_role(current_user, relowner, 'USAGE')
    )
FROM pg_roles
WHERE rolname = current_user;
