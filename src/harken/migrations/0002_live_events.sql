-- Events that arrive one by one, and who is who.

-- Which transaction wrote an event, when it came, and what tells its content from another's under the same id.
-- Older events count as written long ago.
ALTER TABLE event ADD COLUMN tx xid8 NOT NULL DEFAULT '0'::xid8;
ALTER TABLE event ALTER COLUMN tx SET DEFAULT pg_current_xact_id();
ALTER TABLE event ADD COLUMN received_at timestamptz;
ALTER TABLE event ADD COLUMN digest bytea;
CREATE INDEX event_received ON event (received_at) WHERE received_at IS NOT NULL;

-- A transaction takes its number and its positions in one turn, so both grow together: whoever has read every event of
-- the transactions that ended (pg_snapshot_xmin) up to a position has missed none before it.
CREATE FUNCTION reserve_positions(wanted bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  events regclass := pg_get_serial_sequence('event', 'position');
  last bigint;
BEGIN
  PERFORM pg_advisory_lock(7310002);
  PERFORM pg_current_xact_id();
  last := setval(events, nextval(events) + greatest(wanted, 1) - 1);
  PERFORM pg_advisory_unlock(7310002);
  RETURN last - greatest(wanted, 1) + 1;
EXCEPTION WHEN query_canceled OR OTHERS THEN
  PERFORM pg_advisory_unlock(7310002);
  RAISE;
END
$$;

-- What a source sent and we could not take, sealed, with the reason, until somebody mends it. The same again is kept once.
CREATE TABLE rejected_event (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source text NOT NULL,
  reason text NOT NULL,
  digest bytea NOT NULL,
  sealed bytea NOT NULL,
  received_at timestamptz NOT NULL,
  released_at timestamptz,
  UNIQUE (source, reason, digest)
);

-- How far each partition of an outside stream has been taken in. Written in the transaction of its events; the
-- comparison with what the writer believed is what keeps out a worker that was thought dead.
CREATE TABLE source_offset (
  stream text NOT NULL,
  partition int NOT NULL,
  next_offset bigint NOT NULL,
  newest_offset bigint NOT NULL,
  moved_at timestamptz NOT NULL,
  PRIMARY KEY (stream, partition)
);

-- What was last said of two identifiers: one customer, or not. The saying itself is an event in the log.
CREATE TABLE identity_edge (
  one text COLLATE "C" NOT NULL,
  other text COLLATE "C" NOT NULL,
  kind text NOT NULL CHECK (kind IN ('tie', 'alias')),
  joined boolean NOT NULL,
  at timestamptz NOT NULL,
  event text COLLATE "C" NOT NULL,
  PRIMARY KEY (one, other, kind)
);
CREATE INDEX identity_edge_other ON identity_edge (other);

-- Whose identity it is; identities that stand alone have no row.
CREATE TABLE identity_member (
  identity text COLLATE "C" PRIMARY KEY,
  customer text COLLATE "C" NOT NULL
);
CREATE INDEX identity_member_customer ON identity_member (customer);

-- An identifier that the edges give to several customers: shown, never guessed.
CREATE TABLE identity_conflict (
  identity text COLLATE "C" PRIMARY KEY,
  reason text NOT NULL,
  customers text[] NOT NULL
);

-- Every change of who is who, with the event that brought it.
CREATE TABLE identity_change (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event text NOT NULL,
  changed_at timestamptz NOT NULL,
  before jsonb NOT NULL,
  after jsonb NOT NULL
);
CREATE TRIGGER identity_change_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON identity_change
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT EXECUTE ON FUNCTION reserve_positions(bigint) TO harken_app;
GRANT SELECT, INSERT, UPDATE ON source_offset, rejected_event TO harken_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON identity_edge, identity_member, identity_conflict TO harken_app;
GRANT SELECT, INSERT ON identity_change TO harken_app;
