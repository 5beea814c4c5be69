-- The log, what is derived from it, and the three roles.
--
-- owner (whoever migrates) · harken_app (serves; may add to the log, never change it) · harken_sealer (seals the audit).
-- A managed database gives one login: it is made a member of harken_app and every serving connection does SET ROLE.

DO $$
DECLARE
  role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['harken_app', 'harken_sealer'] LOOP
    -- A login that may make no roles does with those that an administrator made and granted.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE', role_name);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;  -- roles belong to the server, not to the database: another database made it first
      END;
    END IF;
    IF NOT pg_has_role(current_user, role_name, 'SET') THEN
      EXECUTE format('GRANT %I TO %I', role_name, current_user);
    END IF;
  END LOOP;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE insufficient_privilege USING MESSAGE = format(
    'the login %1$I may not make or take the roles that serve; an administrator can, once: '
    'CREATE ROLE harken_app NOLOGIN; CREATE ROLE harken_sealer NOLOGIN; GRANT harken_app, harken_sealer TO %1$I',
    current_user);
END
$$;

-- Ids and identities compare byte by byte (COLLATE "C") whatever the database's own collation, so that ranges and
-- merges agree with every engine.

-- One key per subject (a customer's identity, or a thread while the customer is unknown), wrapped with the master key
-- that is kept outside the database. Erasing a customer deletes the row; the texts it opened are noise from then on.
CREATE TABLE subject_key (
  subject text COLLATE "C" PRIMARY KEY,
  wrapped bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Who ingested what, when, with which settings, and how it went.
CREATE TABLE ingest_run (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source text NOT NULL,
  fingerprint text NOT NULL,
  format text NOT NULL,
  engine text NOT NULL,
  who text NOT NULL,
  settings jsonb NOT NULL,
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'failed', 'done')),
  started_at timestamptz NOT NULL,
  finished_at timestamptz,
  watermark timestamptz,
  counts jsonb NOT NULL DEFAULT '{}',
  error text
);
CREATE INDEX ingest_run_fingerprint ON ingest_run (fingerprint) WHERE state <> 'done';

-- A block of a run that is in the log: the row is written in the block's own transaction, so a killed run knows what to skip.
CREATE TABLE ingest_block (
  run_id bigint NOT NULL REFERENCES ingest_run,
  digest text NOT NULL,
  inserted int NOT NULL,
  duplicates int NOT NULL,
  PRIMARY KEY (run_id, digest)
);

-- What failed a quality check, kept with its line and reason until somebody mends it. The text is sealed like a message.
CREATE TABLE quarantine (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_id bigint NOT NULL REFERENCES ingest_run,
  fingerprint text NOT NULL,
  line bigint NOT NULL,
  reason text NOT NULL,
  format text NOT NULL,
  sealed bytea NOT NULL,
  released_at timestamptz,
  UNIQUE (fingerprint, line, reason)
);

-- What happened: written once, never edited. The primary key makes redelivery harmless.
CREATE TABLE event (
  position bigint GENERATED ALWAYS AS IDENTITY,
  id text COLLATE "C" PRIMARY KEY,
  kind text NOT NULL,
  identity text COLLATE "C",
  author text NOT NULL,
  channel text NOT NULL,
  at timestamptz NOT NULL,
  in_reply_to text,
  addressed_to text,
  subject text NOT NULL,
  body bytea,
  language text NOT NULL,
  sentiment smallint,
  urgency smallint NOT NULL,
  signals int NOT NULL,
  evidence text,
  attributes text,
  source text NOT NULL,
  run_id bigint
);
CREATE UNIQUE INDEX event_position ON event (position);
CREATE INDEX event_identity ON event (identity, at) WHERE identity IS NOT NULL;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the log only grows: % on % is refused', TG_OP, TG_TABLE_NAME
    USING HINT = 'Erasing a customer destroys the customer''s key, never an event.';
END
$$;
CREATE TRIGGER event_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON event
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Conversations are a projection: a pure function of the events at `positions`, recomputed when one arrives.
CREATE TABLE conversation (
  no bigint PRIMARY KEY,
  id text COLLATE "C" NOT NULL UNIQUE,
  thread text COLLATE "C" NOT NULL,
  identity text COLLATE "C",
  brand text NOT NULL,
  channel text NOT NULL,
  opened_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  facts text NOT NULL,
  positions bigint[] NOT NULL
);
CREATE SEQUENCE conversation_no AS bigint OWNED BY conversation.no;
CREATE INDEX conversation_identity ON conversation (identity);
CREATE INDEX conversation_thread ON conversation (thread);

-- Which conversation a turn is in: how a late reply finds its thread.
CREATE TABLE turn (
  position bigint PRIMARY KEY,
  conversation bigint NOT NULL
);

-- The mergeable state of every feature, per atomic identity and time tile (JSON); profiles are merged at read.
CREATE TABLE profile (
  identity text COLLATE "C" PRIMARY KEY,
  state text NOT NULL
);

-- Derived, therefore rebuildable: what the projections were made with and up to where.
CREATE TABLE projection (
  name text PRIMARY KEY,
  definitions text NOT NULL,
  position bigint NOT NULL
);

-- Every decision with all that was weighed. The id is derived from the context, so deciding twice is one row.
CREATE TABLE decision (
  id text COLLATE "C" PRIMARY KEY,
  customer text NOT NULL,
  conversation text NOT NULL,
  as_of timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  record text NOT NULL,
  sealed bytea
);
CREATE INDEX decision_customer ON decision (customer, as_of);
CREATE TRIGGER decision_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON decision
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT USAGE ON SCHEMA public TO harken_app, harken_sealer;
GRANT SELECT, INSERT ON subject_key, event, decision, ingest_block TO harken_app;
GRANT SELECT, INSERT, UPDATE ON ingest_run, quarantine, projection TO harken_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON conversation, turn, profile TO harken_app;
GRANT USAGE, SELECT, UPDATE ON SEQUENCE conversation_no, event_position_seq TO harken_app;
