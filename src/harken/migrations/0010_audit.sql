-- What was done, sealed so that nobody can change it unseen; and what every answer was made of, so that it can be made again.

-- Written by whoever serves, inside the transaction of what it tells of. `tx`, `ts` and `id` are the database's own: the
-- serving role may give the other three columns only. `body` is the exact text that is hashed, never personal data in clear.
CREATE TABLE audit_event (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
  ts timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor text COLLATE "C" NOT NULL CHECK (length(actor) BETWEEN 1 AND 200),
  action text COLLATE "C" NOT NULL CHECK (action ~ '^[a-z][a-z0-9_.]{0,99}$'),
  body text COLLATE "C" NOT NULL CHECK (length(body) <= 65536)
);
CREATE INDEX audit_event_tx ON audit_event (tx, id);

-- The leaves of the tree (RFC 9162) in the order in which they were sealed.
CREATE TABLE audit_leaf (
  place bigint PRIMARY KEY,
  event bigint NOT NULL UNIQUE,
  hash bytea NOT NULL CHECK (length(hash) = 32)
);

-- Complete subtrees of 256 leaves and more; smaller ones are worked out from their leaves.
CREATE TABLE audit_node (
  level smallint NOT NULL CHECK (level >= 8),
  place bigint NOT NULL,
  hash bytea NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (level, place)
);

-- Signed heads of the tree. Every transaction below `horizon` was over when it was made, and all its events are under it.
-- An epoch is a stretch of one server's transaction numbers: a database that was restored elsewhere begins a new one.
CREATE TABLE audit_checkpoint (
  size bigint PRIMARY KEY CHECK (size > 0),
  root bytea NOT NULL CHECK (length(root) = 32),
  epoch int NOT NULL,
  system text NOT NULL,
  horizon xid8 NOT NULL,
  note text COLLATE "C" NOT NULL
);

-- What an answer was made of, sealed with the customer's key and named by a digest that only that key makes.
CREATE TABLE record_blob (
  digest bytea PRIMARY KEY CHECK (length(digest) = 16),
  subject text COLLATE "C" NOT NULL,
  sealed bytea NOT NULL
);
CREATE INDEX record_blob_subject ON record_blob (subject);

-- An organisation's own texts that answers were made by (policies, rules of the guard), by their SHA-256.
CREATE TABLE record_text (
  digest bytea PRIMARY KEY CHECK (length(digest) = 32),
  content text NOT NULL
);

-- One row an answer: what it was made of, as digests. Its id is the manifest's own SHA-256, which stands in the audit's `event`.
CREATE TABLE answer_record (
  id text COLLATE "C" PRIMARY KEY,
  ticket text COLLATE "C" NOT NULL,
  at timestamptz NOT NULL,
  event bigint NOT NULL REFERENCES audit_event,
  manifest text COLLATE "C" NOT NULL
);
CREATE INDEX answer_record_ticket ON answer_record (ticket, at);

DO $$
DECLARE
  table_name text;
BEGIN
  FOREACH table_name IN ARRAY ARRAY['audit_event', 'audit_leaf', 'audit_node', 'audit_checkpoint', 'answer_record', 'record_text'] LOOP
    EXECUTE format(
      'CREATE TRIGGER %1$s_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON %1$I '
      'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', table_name);
    EXECUTE format('ALTER TABLE %1$I ENABLE ALWAYS TRIGGER %1$s_is_final', table_name);
  END LOOP;
END
$$;

GRANT INSERT (actor, action, body), SELECT ON audit_event TO harken_app, harken_librarian, harken_sealer;
GRANT SELECT ON audit_leaf, audit_node, audit_checkpoint TO harken_app;
GRANT SELECT, INSERT ON audit_leaf, audit_node, audit_checkpoint TO harken_sealer;
GRANT SELECT, INSERT ON record_blob, record_text, answer_record TO harken_app;
