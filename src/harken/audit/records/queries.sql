-- name: keep_blobs
-- The same content of the same customer is kept once.
INSERT INTO record_blob (digest, subject, sealed)
SELECT digest, %(subject)s, sealed FROM unnest(%(digests)s::bytea[], %(sealed)s::bytea[]) AS new (digest, sealed)
ON CONFLICT (digest) DO NOTHING;

-- name: keep_texts
-- One policy stands behind thousands of answers.
INSERT INTO record_text (digest, content)
SELECT * FROM unnest(%(digests)s::bytea[], %(contents)s::text[])
ON CONFLICT (digest) DO NOTHING;

-- name: is_kept
-- Keeping an answer twice is keeping it once, in the audit as well.
SELECT FROM answer_record WHERE id = %(id)s;

-- name: keep
-- Last, when everything that the manifest names is there.
INSERT INTO answer_record (id, ticket, at, event, manifest) VALUES (%(id)s, %(ticket)s, %(at)s, %(event)s, %(manifest)s);

-- name: read
-- One record.
SELECT id, ticket, at, event, manifest FROM answer_record WHERE id = %(id)s;

-- name: named
-- People copy the first digits of an id; no digit is beyond f.
SELECT id FROM answer_record WHERE id >= %(since)s AND id < %(until)s ORDER BY id LIMIT %(most)s;

-- name: of_customers
-- Whoever asks why somebody was told something knows the customer and about when.
SELECT id, ticket, at, event, manifest FROM answer_record
WHERE manifest::jsonb ->> 'customer' = ANY(%(tokens)s) AND at >= %(since)s AND at < %(until)s
ORDER BY at, id LIMIT %(most)s;

-- name: days_of
-- For whoever asked for a day on which there was nothing.
SELECT DISTINCT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day FROM answer_record
WHERE manifest::jsonb ->> 'customer' = ANY(%(tokens)s)
ORDER BY day DESC LIMIT %(most)s;

-- name: ids
-- A page of all of them, oldest first.
SELECT id, at FROM answer_record WHERE (at, id) > (%(after_at)s::timestamptz, %(after_id)s) ORDER BY at, id LIMIT %(most)s;

-- name: blobs
-- With the key of the subject; none where it was destroyed.
SELECT b.digest, b.subject, b.sealed, k.wrapped
FROM record_blob b LEFT JOIN subject_key k USING (subject)
WHERE b.digest = ANY(%(digests)s);

-- name: texts
-- The organisation's own texts.
SELECT digest, content FROM record_text WHERE digest = ANY(%(digests)s);
