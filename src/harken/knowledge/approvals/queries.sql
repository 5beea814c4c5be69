-- name: standing
-- What the newest word on a document made public; what was taken back is not among them.
SELECT document_id, content FROM (
  SELECT DISTINCT ON (document_id) document_id, content, public FROM knowledge_approval
  WHERE document_id = ANY(%(ids)b::text[]) ORDER BY document_id, version DESC
) AS newest WHERE public;

-- name: record
-- For good: a trigger refuses to change it.
INSERT INTO knowledge_approval (document_id, version, public, content, approved_by, rule, approved_at)
SELECT one.document_id, one.version, %(public)s, one.content, %(who)s, %(rule)s, %(at)s::timestamptz
FROM unnest(%(ids)b::text[], %(versions)b::int[], %(contents)b::bytea[]) AS one (document_id, version, content);

-- name: newest
-- Up to where a rule looks: what it makes itself comes behind.
SELECT coalesce(max(no), 0) AS number FROM document;

-- name: answers
-- Whatever class and visibility: what may not be approved is told why.
SELECT d.no, d.document_id, d.version, d.collection, d.file, d.source, d.title, d.owner, d.language, d.effective_from,
  d.effective_to, d.fingerprint, d.content, d.text, d.redacted, d.subject, d.valid_from,
  s.visibility, s.jurisdiction, s.class, s.risk
FROM document d JOIN knowledge_scope s ON s.id = d.scope
WHERE d.document_id = ANY(%(ids)b::text[]) AND d.valid_to IS NULL;

-- name: page_of_answers
-- What people answered, a page at a time, by number.
SELECT d.document_id, d.no FROM document d JOIN knowledge_scope s ON s.id = d.scope
WHERE d.no > %(after)s AND d.no <= %(upto)s AND d.valid_to IS NULL AND s.class = 'support_log'
ORDER BY d.no LIMIT %(most)s;

-- name: before_approval
-- The newest version that says the same and is for those who work here: what is personal in it is kept with its key.
SELECT DISTINCT ON (d.document_id) d.no, d.document_id, d.version, d.collection, d.file, d.source, d.title, d.owner,
  d.language, d.effective_from, d.effective_to, d.fingerprint, d.content, d.text, d.redacted, d.subject, d.valid_from,
  s.visibility, s.jurisdiction, s.class, s.risk
FROM document d JOIN knowledge_scope s ON s.id = d.scope
JOIN unnest(%(ids)b::text[], %(contents)b::bytea[]) AS wanted (document_id, content)
  ON wanted.document_id = d.document_id AND wanted.content = d.content
WHERE s.visibility = 1 ORDER BY d.document_id, d.version DESC;

-- name: pieces
-- Where a document was cut, to cut the new version at the same places.
SELECT document, heading, starts, ends FROM passage WHERE document = ANY(%(documents)b::bigint[]) ORDER BY document, ordinal;
