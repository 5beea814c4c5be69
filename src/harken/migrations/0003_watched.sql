-- What is watched: how many events each source sends, and whether served profiles are what the log says.

-- Counts of an hour, in the transaction of the events. Each connection has rows of its own, so that writers do not wait
-- for one another; whoever reads adds them up. Kept for as long as an hour is compared with earlier ones.
CREATE TABLE source_hour (
  hour timestamptz NOT NULL,
  source text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  writer int NOT NULL,
  events bigint NOT NULL,
  slow bigint NOT NULL,  -- that came long after they happened
  newest timestamptz NOT NULL,
  PRIMARY KEY (hour, source, kind, writer)
) WITH (fillfactor = 50);

-- One served profile in a hundred, until it has been recomputed from the log; one that differs is kept as evidence.
-- Everything of transactions before `known_before` was in it, nothing of those from `unknown_from` on.
CREATE TABLE served_profile (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer text NOT NULL,
  identities text[] NOT NULL,
  as_of timestamptz NOT NULL,
  position bigint NOT NULL,
  definitions text NOT NULL,
  silence text NOT NULL,
  features text NOT NULL,
  served_at timestamptz NOT NULL,
  known_before xid8 NOT NULL,
  unknown_from xid8 NOT NULL,
  checked_at timestamptz,
  differs text[]
);
CREATE INDEX served_profile_waits ON served_profile (id) WHERE checked_at IS NULL;

-- What came of all recomputed values so far.
CREATE TABLE consistency (
  result text PRIMARY KEY,
  number bigint NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON source_hour, served_profile TO harken_app;
GRANT SELECT, INSERT, UPDATE ON consistency TO harken_app;
