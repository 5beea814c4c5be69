-- name: keys
-- Wrapped keys of the subjects that have one.
SELECT subject, wrapped FROM subject_key WHERE subject = ANY(%(subjects)s);

-- name: add_keys
-- Another process may have made a subject's key meanwhile: the first one stays.
INSERT INTO subject_key (subject, wrapped) SELECT * FROM unnest(%(subjects)s::text[], %(wrapped)s::bytea[])
ON CONFLICT (subject) DO NOTHING;
