-- name: open_segment
-- A number for what is indexed together.
INSERT INTO posting_segment (scope, passages) VALUES (%(scope)s, %(passages)s) RETURNING segment;

-- name: add_postings
-- One row a term.
INSERT INTO posting (term, scope, segment, passages, entries)
SELECT one.term, %(scope)s, %(segment)s, one.passages, one.entries
FROM unnest(%(terms)b::text[], %(passages)b::int[], %(entries)b::bytea[]) AS one (term, passages, entries);

-- name: crowded
-- Scopes that are worth joining: in many segments, or full of what is gone.
SELECT s.scope, count(*)::int AS segments, z.passages, z.dead
FROM posting_segment s JOIN scope_size z ON z.scope = s.scope
GROUP BY s.scope, z.passages, z.dead
HAVING count(*) > %(segments)s OR z.dead > greatest(64, z.passages / 4);

-- name: segments
-- Of one scope, the largest first.
SELECT segment, passages FROM posting_segment WHERE scope = %(scope)s ORDER BY passages DESC, segment;

-- name: alive
-- Passages that may still be found.
SELECT p.no FROM passage p JOIN document d ON d.no = p.document
WHERE p.scope = %(scope)s AND d.valid_to IS NULL;

-- name: highest
-- The size of a table by number.
SELECT coalesce(max(no), 0) AS no FROM passage;

-- name: postings_of
-- In order, so that a term is complete when the next one begins.
SELECT term, entries FROM posting WHERE scope = %(scope)s AND segment = ANY(%(segments)b::int[]) ORDER BY term, segment;

-- name: drop_postings
-- Their successor is written in the same transaction.
DELETE FROM posting WHERE scope = %(scope)s AND segment = ANY(%(segments)b::int[]);

-- name: drop_segments
-- As above.
DELETE FROM posting_segment WHERE scope = %(scope)s AND segment = ANY(%(segments)b::int[]);

-- name: none_dead
-- After everything in a scope was joined.
UPDATE scope_size SET dead = 0 WHERE scope = %(scope)s;
