-- name: one_at_a_time
-- Two who take documents in would each retire what the other has just added.
SELECT pg_advisory_xact_lock(5204177103201115);

-- name: add_scopes
-- Few rows, made once: a combination of rights that no document had yet.
INSERT INTO knowledge_scope (visibility, jurisdiction, class, risk)
SELECT * FROM unnest(%(visibility)b::smallint[], %(jurisdiction)b::text[], %(class)b::text[], %(risk)b::smallint[])
ON CONFLICT DO NOTHING;

-- name: scopes
-- All of them: there are as many as combinations in use.
SELECT id, visibility, jurisdiction, class, risk FROM knowledge_scope;

-- name: current
-- The versions that serve now of these documents.
SELECT d.no, d.document_id, d.version, d.fingerprint, d.collection, d.file, s.visibility
FROM document d JOIN knowledge_scope s ON s.id = d.scope
WHERE d.document_id = ANY(%(ids)b::text[]) AND d.valid_to IS NULL;

-- name: newest_versions
-- A document that was gone and comes back counts on.
SELECT document_id, max(version) AS version FROM document WHERE document_id = ANY(%(ids)b::text[]) GROUP BY document_id;

-- name: of_files
-- What files hold now, to see what is gone from them.
SELECT no, document_id, file FROM document
WHERE collection = %(collection)s AND file = ANY(%(files)b::text[]) AND valid_to IS NULL;

-- name: retire
-- An old version stays readable by its number; it is found no more.
UPDATE document SET valid_to = %(at)s WHERE no = ANY(%(documents)b::bigint[]) AND valid_to IS NULL;

-- name: too_open
-- Old versions of these documents that are open to others than the one that serves now, or to anybody where none serves.
SELECT o.no, s.jurisdiction, s.class FROM document o
JOIN knowledge_scope s ON s.id = o.scope
LEFT JOIN (document n JOIN knowledge_scope t ON t.id = n.scope) ON n.document_id = o.document_id AND n.valid_to IS NULL
WHERE o.document_id IN (SELECT document_id FROM document WHERE no = ANY(%(documents)b::bigint[]))
  AND o.valid_to IS NOT NULL AND NOT (s.visibility = 2 AND s.risk = 2)
  AND (s.visibility >= t.visibility AND s.risk >= t.risk AND s.class = t.class AND t.jurisdiction IN ('', s.jurisdiction))
    IS NOT TRUE;

-- name: close_documents
-- Rights that were taken back are taken back for what was, too; who answers for a replay may still read it.
UPDATE document SET scope = one.scope FROM unnest(%(documents)b::bigint[], %(scopes)b::int[]) AS one (no, scope)
WHERE document.no = one.no;

-- name: close_passages
-- As above.
UPDATE passage SET scope = one.scope FROM unnest(%(documents)b::bigint[], %(scopes)b::int[]) AS one (document, scope)
WHERE passage.document = one.document;

-- name: shrink_scopes
-- Counted down here, so that nobody ever counts.
UPDATE scope_size SET passages = scope_size.passages - gone.passages, words = scope_size.words - gone.words,
  dead = scope_size.dead + gone.passages
FROM (
  SELECT scope, count(*)::int AS passages, sum(words)::bigint AS words FROM passage
  WHERE document = ANY(%(documents)b::bigint[]) GROUP BY scope
) AS gone
WHERE scope_size.scope = gone.scope;

-- name: add_documents
-- New versions; the unique index refuses a second current one.
INSERT INTO document (document_id, version, scope, collection, file, source, title, owner, language, effective_from,
  effective_to, fingerprint, content, text, redacted, subject, valid_from)
SELECT one.document_id, one.version, one.scope, %(collection)s, one.file, one.source, one.title, one.owner, one.language,
  one.effective_from, one.effective_to, one.fingerprint, one.content, one.text, one.redacted, one.subject, %(at)s
FROM unnest(%(document_id)b::text[], %(version)b::int[], %(scope)b::int[], %(file)b::text[], %(source)b::text[],
  %(title)b::text[], %(owner)b::text[], %(language)b::text[], %(effective_from)b::timestamptz[],
  %(effective_to)b::timestamptz[], %(fingerprint)b::bytea[], %(content)b::bytea[], %(text)b::text[], %(redacted)b::int[],
  %(subject)b::text[])
  AS one (document_id, version, scope, file, source, title, owner, language, effective_from, effective_to, fingerprint,
    content, text, redacted, subject)
RETURNING no, document_id;

-- name: add_passages
-- Their numbers come back with the place they have, because rows may be returned in any order.
INSERT INTO passage (document, ordinal, scope, heading, text, starts, ends, tokens, words)
SELECT * FROM unnest(%(document)b::bigint[], %(ordinal)b::int[], %(scope)b::int[], %(heading)b::text[], %(text)b::text[],
  %(starts)b::int[], %(ends)b::int[], %(tokens)b::int[], %(words)b::int[])
RETURNING no, document, ordinal;

-- name: grow_scope
-- The other half of `shrink_scopes`.
INSERT INTO scope_size (scope, passages, words, dead, languages)
VALUES (%(scope)s, %(passages)s, %(words)s, 0, %(languages)s)
ON CONFLICT (scope) DO UPDATE SET passages = scope_size.passages + excluded.passages,
  words = scope_size.words + excluded.words,
  languages = ARRAY(SELECT unnest(scope_size.languages) UNION SELECT unnest(excluded.languages) ORDER BY 1);

-- name: changed
-- Caches ask for this before they answer.
UPDATE knowledge_state SET version = version + 1;

-- name: files
-- What was read before, as it was then.
SELECT file, fingerprint FROM knowledge_file WHERE collection = %(collection)s;

-- name: collections
-- What was ever added.
SELECT DISTINCT collection FROM knowledge_file;

-- name: read_files
-- The next run reads them again only if they differ.
INSERT INTO knowledge_file (collection, file, fingerprint, read_at)
SELECT %(collection)s, one.file, one.fingerprint, %(at)s::timestamptz
FROM unnest(%(files)b::text[], %(fingerprints)b::bytea[]) AS one (file, fingerprint)
ON CONFLICT (collection, file) DO UPDATE SET fingerprint = excluded.fingerprint, read_at = excluded.read_at;

-- name: files_named
-- The same for a few of them: a collection may hold a million.
SELECT file, fingerprint FROM knowledge_file WHERE collection = %(collection)s AND file = ANY(%(files)b::text[]);

-- name: conversations_gone
-- Conversations that were learnt from and are no more: a late message joined two, or a rebuild cut them otherwise.
SELECT f.file FROM knowledge_file f
WHERE f.collection = %(collection)s AND NOT EXISTS (SELECT FROM conversation c WHERE c.id = f.file AND c.identity IS NOT NULL)
ORDER BY f.file LIMIT %(most)s;

-- name: forget_files
-- They are gone, and would be read anew if they came back.
DELETE FROM knowledge_file WHERE collection = %(collection)s AND file = ANY(%(files)b::text[]);

-- name: readmit
-- Each reading of a file says anew what is wrong in it.
DELETE FROM knowledge_quarantine WHERE collection = %(collection)s AND file = ANY(%(files)b::text[]);

-- name: set_aside
-- The newest reason stands.
INSERT INTO knowledge_quarantine (collection, source, file, reason, at)
SELECT DISTINCT ON (one.source) %(collection)s, one.source, one.file, one.reason, %(at)s::timestamptz
FROM unnest(%(sources)b::text[], %(files)b::text[], %(reasons)b::text[]) AS one (source, file, reason)
ON CONFLICT (collection, source) DO UPDATE SET file = excluded.file, reason = excluded.reason, at = excluded.at;

-- name: set_aside_in
-- What a run that read nothing new still has to tell.
SELECT source, reason FROM knowledge_quarantine
WHERE collection = %(collection)s AND file = ANY(%(files)b::text[]) ORDER BY source;

-- name: totals_of
-- What these files hold now.
SELECT count(*)::int AS documents, coalesce(sum(redacted), 0)::int AS redacted,
  (SELECT count(*)::int FROM passage p JOIN document o ON o.no = p.document
   WHERE o.collection = %(collection)s AND o.file = ANY(%(files)b::text[]) AND o.valid_to IS NULL) AS passages
FROM document WHERE collection = %(collection)s AND file = ANY(%(files)b::text[]) AND valid_to IS NULL;

-- name: count
-- After much has changed; the server would do so itself, minutes later.
SELECT count_knowledge();
