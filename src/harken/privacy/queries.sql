-- name: keys
-- Wrapped keys of the subjects that have one.
SELECT subject, wrapped FROM subject_key WHERE subject = ANY(%(subjects)s);

-- name: add_keys
-- Another process may have made a subject's key meanwhile: the first one stays.
INSERT INTO subject_key (subject, wrapped) SELECT * FROM unnest(%(subjects)s::text[], %(wrapped)s::bytea[])
ON CONFLICT (subject) DO NOTHING;

-- name: keep
-- Another process may have kept the same value meanwhile: the first one's token stays.
INSERT INTO vault (token, subject, fingerprint, key_mark, sealed)
SELECT token, %(subject)s, fingerprint, key_mark, sealed
FROM unnest(%(tokens)s::text[], %(fingerprints)s::bytea[], %(key_marks)s::bytea[], %(sealed)s::bytea[])
    AS new (token, fingerprint, key_mark, sealed)
ON CONFLICT (subject, fingerprint) DO NOTHING;

-- name: kept
-- The same value has the same token every time.
SELECT fingerprint, token FROM vault WHERE subject = %(subject)s AND fingerprint = ANY(%(fingerprints)s);

-- name: sealed_values
-- In runs of a subject, whose key is then unwrapped once; a destroyed key leaves its tokens out.
SELECT token, subject, key_mark, sealed, wrapped
FROM vault JOIN subject_key USING (subject)
WHERE token = ANY(%(tokens)s)
ORDER BY subject;
