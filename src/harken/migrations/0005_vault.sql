-- Personal data of documents, sealed, and the role that takes documents in.

DO $$
BEGIN
  -- A login that may make no roles does with the one that an administrator made and granted.
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'harken_librarian') THEN
    BEGIN
      CREATE ROLE harken_librarian NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL;  -- roles belong to the server, not to the database: another database made it first
    END;
  END IF;
  IF NOT pg_has_role(current_user, 'harken_librarian', 'SET') THEN
    EXECUTE format('GRANT harken_librarian TO %I', current_user);
  END IF;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE insufficient_privilege USING MESSAGE = format(
    'the login %1$I may not make or take the role that takes documents in; an administrator can, once: '
    'CREATE ROLE harken_librarian NOLOGIN; GRANT harken_librarian TO %1$I',
    current_user);
END
$$;

-- What each token stands for, sealed with its subject's key. `fingerprint` finds the same value of the same subject again,
-- `key_mark` tells which of the subject's keys it was: after an erasure there may be another. Both are made with the
-- subject's key, so without it they say nothing.
CREATE TABLE vault (
  token text COLLATE "C" PRIMARY KEY,
  subject text COLLATE "C" NOT NULL,
  fingerprint bytea NOT NULL,
  key_mark bytea NOT NULL,
  sealed bytea NOT NULL,
  UNIQUE (subject, fingerprint)
);

ALTER TABLE vault ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault FORCE ROW LEVEL SECURITY;
CREATE POLICY vault_librarian ON vault TO harken_librarian USING (true) WITH CHECK (true);

GRANT USAGE ON SCHEMA public TO harken_librarian;
GRANT SELECT, INSERT ON vault, subject_key TO harken_librarian;
