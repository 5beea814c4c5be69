-- What the company knows, findable, and only for who may read it.
--
-- Who may read is said once, in the policy of knowledge_scope; every other table asks for the scopes that it lets through.
-- A reader is four settings of the transaction (SET LOCAL): without them, and after them, nothing is readable. The serving
-- role is neither owner nor superuser and may not bypass a policy; documents are written by harken_librarian alone.
-- Conditions use equality of integers and texts only: other operators may be asked only after the policy has, which costs
-- them their indexes.

DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS vector;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE insufficient_privilege USING MESSAGE = format(
    'the login %I may not add the extension vector to this database; an administrator can, once: CREATE EXTENSION vector', current_user);
END
$$;

CREATE TABLE knowledge_scope (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  visibility smallint NOT NULL CHECK (visibility BETWEEN 0 AND 2),  -- public, internal, restricted
  jurisdiction text COLLATE "C" NOT NULL,  -- '' : everywhere
  class text COLLATE "C" NOT NULL CHECK (class IN ('policy', 'product', 'regulatory', 'support_log')),
  risk smallint NOT NULL CHECK (risk BETWEEN 0 AND 2),
  UNIQUE (visibility, jurisdiction, class, risk)
);
ALTER TABLE knowledge_scope ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
-- Past its transaction a setting is '' and not NULL: both deny.
CREATE POLICY reader ON knowledge_scope FOR SELECT TO harken_app USING (
  visibility <= (SELECT nullif(current_setting('harken.visibility', true), '')::smallint)
  AND risk <= (SELECT nullif(current_setting('harken.risk', true), '')::smallint)
  AND class = ANY ((SELECT string_to_array(nullif(current_setting('harken.classes', true), ''), ','))::text[])
  AND (
    jurisdiction = ''
    OR jurisdiction = ANY ((SELECT string_to_array(nullif(current_setting('harken.jurisdictions', true), ''), ','))::text[])
    OR (SELECT current_setting('harken.jurisdictions', true)) = '*'
  )
);
CREATE POLICY librarian ON knowledge_scope TO harken_librarian USING (true) WITH CHECK (true);

-- As its caller, so that the policy above holds in it.
CREATE FUNCTION readable_scopes() RETURNS int[] LANGUAGE sql STABLE PARALLEL SAFE
  RETURN (SELECT array_agg(id) FROM knowledge_scope);

-- A version of a document. Other rights are another version, and close the ones before.
CREATE TABLE document (
  no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  document_id text COLLATE "C" NOT NULL,
  version int NOT NULL,
  scope int NOT NULL REFERENCES knowledge_scope,
  collection text COLLATE "C" NOT NULL,  -- what was added: a folder, the log, the interface
  file text COLLATE "C" NOT NULL,  -- in the collection; a file may hold many documents
  source text NOT NULL,
  title text NOT NULL,
  owner text NOT NULL,
  language text NOT NULL,
  effective_from timestamptz,
  effective_to timestamptz,
  fingerprint bytea NOT NULL,  -- keyed, of all that this version was made of
  content bytea NOT NULL,  -- keyed, of what was read: an approval holds for it, however it is cut and counted
  text text NOT NULL,  -- personal data is tokens
  redacted int NOT NULL,
  subject text,  -- whose key the tokens' values are kept with
  valid_from timestamptz NOT NULL,
  valid_to timestamptz,
  UNIQUE (document_id, version)
);
CREATE UNIQUE INDEX document_current ON document (document_id) WHERE valid_to IS NULL;
CREATE INDEX document_file ON document (collection, file) WHERE valid_to IS NULL;

-- Passages outlive their version: a replay reads what was read then.
CREATE TABLE passage (
  no int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  document bigint NOT NULL REFERENCES document,
  ordinal int NOT NULL,
  scope int NOT NULL REFERENCES knowledge_scope,
  heading text NOT NULL,
  text text NOT NULL,
  starts int NOT NULL,
  ends int NOT NULL,
  tokens int NOT NULL,
  words int NOT NULL,
  UNIQUE (document, ordinal)
);

-- The words of current passages: for a term and a scope, one row a segment. Entries are little-endian records of 8 bytes
-- (passage uint32, times uint16, length uint16), in order of passage. A table of rows rather than a GIN index over texts,
-- because the operators of full text may not be asked before the policy (docs/decisions).
CREATE TABLE posting (
  term text COLLATE "C" NOT NULL,
  scope int NOT NULL,
  segment int NOT NULL,
  passages int NOT NULL,
  entries bytea NOT NULL,
  PRIMARY KEY (term, scope, segment)
);
ALTER TABLE posting ALTER COLUMN entries SET STORAGE EXTERNAL;
CREATE INDEX posting_segment_of ON posting (scope, segment);

-- What was indexed together.
CREATE TABLE posting_segment (
  scope int NOT NULL REFERENCES knowledge_scope,
  segment int GENERATED ALWAYS AS IDENTITY,
  passages int NOT NULL,
  PRIMARY KEY (scope, segment)
);

-- How much a scope holds, so that what a reader may see is known without counting; `dead` is still in postings.
CREATE TABLE scope_size (
  scope int PRIMARY KEY REFERENCES knowledge_scope,
  passages int NOT NULL,
  words bigint NOT NULL,
  dead int NOT NULL,
  languages text[] NOT NULL  -- in which there ever was something; a question that does not tell its own is read in each
);

-- A model's vectors of all current passages. While one is being built another serves.
CREATE TABLE vector_index (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  model text NOT NULL,
  dimension int NOT NULL CHECK (dimension BETWEEN 1 AND 4000),
  state text NOT NULL CHECK (state IN ('building', 'serving', 'retired')),
  graph boolean NOT NULL DEFAULT false,  -- whether it has an HNSW index
  made_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX vector_index_serving ON vector_index (state) WHERE state = 'serving';
CREATE UNIQUE INDEX vector_index_building ON vector_index (state) WHERE state = 'building';

CREATE TABLE passage_vector (
  index_id int NOT NULL,
  passage int NOT NULL,
  scope int NOT NULL,
  embedding halfvec NOT NULL,
  PRIMARY KEY (index_id, passage)
) PARTITION BY LIST (index_id);
CREATE INDEX passage_vector_scope ON passage_vector (index_id, scope);

-- Moves with everything that changes what a search may find.
CREATE TABLE knowledge_state (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  version bigint NOT NULL
);
INSERT INTO knowledge_state (version) VALUES (1);

-- What a file was when it was read, so that the next run reads what changed.
CREATE TABLE knowledge_file (
  collection text COLLATE "C" NOT NULL,
  file text COLLATE "C" NOT NULL,
  fingerprint bytea NOT NULL,
  read_at timestamptz NOT NULL,
  PRIMARY KEY (collection, file)
);

-- What was not taken in, and why. What it says stays where it came from.
CREATE TABLE knowledge_quarantine (
  collection text COLLATE "C" NOT NULL,
  source text COLLATE "C" NOT NULL,
  file text COLLATE "C" NOT NULL,
  reason text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (collection, source)
);

-- Who made what public or took it back, when, and by which rule ('' : by hand). The newest row of a document decides, for
-- as long as it says what it said then.
CREATE TABLE knowledge_approval (
  document_id text COLLATE "C" NOT NULL,
  version int NOT NULL,  -- the one that this made
  public boolean NOT NULL,  -- false: taken back
  content bytea NOT NULL,
  approved_by text NOT NULL,
  rule text NOT NULL,
  approved_at timestamptz NOT NULL,
  PRIMARY KEY (document_id, version)
);
CREATE TRIGGER approval_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON knowledge_approval
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What is done at an hour of the day, by one process of many, and when it was begun last.
CREATE TABLE knowledge_job (
  name text COLLATE "C" PRIMARY KEY,
  last_at timestamptz NOT NULL
);

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['document', 'passage', 'posting', 'posting_segment', 'scope_size', 'passage_vector'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY reader ON %I FOR SELECT TO harken_app '
      'USING (scope = ANY ((SELECT readable_scopes())::int[]))', name);
    EXECUTE format('CREATE POLICY librarian ON %I TO harken_librarian USING (true) WITH CHECK (true)', name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['knowledge_file', 'knowledge_quarantine', 'knowledge_approval', 'knowledge_job'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY librarian ON %I TO harken_librarian USING (true) WITH CHECK (true)', name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['vector_index', 'knowledge_state'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY reader ON %I FOR SELECT TO harken_app USING (true)', name);
    EXECUTE format('CREATE POLICY librarian ON %I TO harken_librarian USING (true) WITH CHECK (true)', name);
  END LOOP;
  -- The functions below run as the owner, who may be no superuser either.
  CREATE POLICY owner ON vector_index TO CURRENT_USER USING (true) WITH CHECK (true);
END
$$;

GRANT SELECT ON knowledge_scope, passage, posting, posting_segment, scope_size, passage_vector, vector_index, knowledge_state
  TO harken_app, harken_librarian;
-- A conversation's name holds its customer's; whoever searches needs neither that nor whose key hides what.
GRANT SELECT (no, document_id, version, scope, source, title, owner, language, effective_from, effective_to, text, redacted,
  valid_from, valid_to) ON document TO harken_app;
GRANT SELECT ON document TO harken_librarian;
GRANT INSERT ON knowledge_scope, document, passage, posting, posting_segment, scope_size, passage_vector,
  knowledge_approval TO harken_librarian;
-- Old versions may be closed, and never changed.
GRANT UPDATE (valid_to, scope) ON document TO harken_librarian;
GRANT UPDATE (scope) ON passage TO harken_librarian;
GRANT UPDATE (passages, words, dead, languages) ON scope_size TO harken_librarian;
GRANT UPDATE ON knowledge_state TO harken_librarian;
GRANT DELETE ON posting, posting_segment, passage_vector TO harken_librarian;
GRANT SELECT ON knowledge_approval TO harken_librarian;
GRANT SELECT, INSERT, UPDATE ON knowledge_job TO harken_librarian;
GRANT SELECT, INSERT, UPDATE, DELETE ON knowledge_file, knowledge_quarantine TO harken_librarian;
-- Which conversations there still are; what was said in them the librarian cannot read.
GRANT SELECT (id, identity) ON conversation TO harken_librarian;

-- Tables and indexes belong to the owner; the librarian may have these made, and nothing else.
CREATE FUNCTION open_vector_index(named text, dimensions int, at timestamptz) RETURNS int
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, extensions, pg_temp AS $$
DECLARE
  made int;
BEGIN
  INSERT INTO vector_index (model, dimension, state, made_at) VALUES (named, dimensions, 'building', at) RETURNING id INTO made;
  EXECUTE format('CREATE TABLE passage_vector_%s PARTITION OF passage_vector FOR VALUES IN (%s)', made, made);
  EXECUTE format('ALTER TABLE passage_vector_%s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', made);
  EXECUTE format('ALTER TABLE passage_vector_%s ADD CHECK (vector_dims(embedding) = %s)', made, dimensions);
  RETURN made;
END
$$;

CREATE FUNCTION graph_vector_index(which int) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, extensions, pg_temp SET maintenance_work_mem = '512MB' AS $$
BEGIN
  -- Rows of a scope side by side: who may read little then reads few pages.
  EXECUTE format('CLUSTER passage_vector_%s USING passage_vector_%s_index_id_scope_idx', which, which);
  EXECUTE format('CREATE INDEX passage_vector_%s_graph ON passage_vector_%s USING hnsw '
    '((embedding::halfvec(%s)) halfvec_ip_ops) WITH (m = 24, ef_construction = 200)', which, which, (SELECT dimension FROM vector_index WHERE id = which));
  UPDATE vector_index SET graph = true WHERE id = which;
END
$$;

-- The one that is built takes over, and what served before is gone with its vectors.
CREATE FUNCTION switch_vector_index(which int) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, extensions, pg_temp AS $$
DECLARE
  old int;
BEGIN
  FOR old IN SELECT id FROM vector_index WHERE state = 'serving' LOOP
    UPDATE vector_index SET state = 'retired', graph = false WHERE id = old;
    EXECUTE format('DROP TABLE passage_vector_%s', old);
  END LOOP;
  UPDATE vector_index SET state = 'serving' WHERE id = which AND state = 'building';
END
$$;

CREATE FUNCTION drop_vector_index(which int) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, extensions, pg_temp AS $$
BEGIN
  UPDATE vector_index SET state = 'retired', graph = false WHERE id = which AND state = 'building';
  IF FOUND THEN
    EXECUTE format('DROP TABLE passage_vector_%s', which);
  END IF;
END
$$;

-- Without figures the planner takes a library of thousands for an empty one, and waits for its own turn to find out.
CREATE FUNCTION count_knowledge() RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = public, extensions, pg_temp AS $$
  ANALYZE knowledge_scope, document, passage, posting, passage_vector;
$$;

REVOKE ALL ON FUNCTION open_vector_index, graph_vector_index, switch_vector_index, drop_vector_index, count_knowledge FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_vector_index, graph_vector_index, switch_vector_index, drop_vector_index, count_knowledge
  TO harken_librarian;
