-- Statements end with a semicolon at the end of a line. Nothing here is a transaction, so each may be run again.
-- What is committed is on the disk before the engine says so, as on PostgreSQL: fsync_after_insert.

-- The first key of a subject stays: of several, whoever reads takes the oldest.
CREATE TABLE IF NOT EXISTS subject_key (
  subject String,
  wrapped String,
  made_at DateTime64(6, 'UTC') DEFAULT now64(6)
) ENGINE = MergeTree ORDER BY subject SETTINGS fsync_after_insert = 1;

-- A run is written anew whenever it changes, and the highest change is the run.
CREATE TABLE IF NOT EXISTS run_change (
  id Int64,
  change Int64,
  source String,
  fingerprint String,
  format String,
  engine String,
  who String,
  settings String,
  columns String,
  state LowCardinality(String),
  started_at DateTime64(6, 'UTC'),
  finished_at Nullable(DateTime64(6, 'UTC')),
  watermark Nullable(DateTime64(6, 'UTC')),
  counts String,
  error Nullable(String)
) ENGINE = ReplacingMergeTree(change) ORDER BY id SETTINGS fsync_after_insert = 1;

CREATE TABLE IF NOT EXISTS quarantine (
  id Int64,
  change Int64,
  run_id Int64,
  fingerprint String,
  line Int64,
  reason LowCardinality(String),
  format LowCardinality(String),
  sealed String,
  released_at Nullable(DateTime64(6, 'UTC'))
) ENGINE = ReplacingMergeTree(change) ORDER BY id SETTINGS fsync_after_insert = 1;

-- What happened: written once. Each row names its block and how many rows that has: a block is in when all of them are,
-- and there is no mark beside it that could be missing. The window lets the engine drop a block that is sent again.
CREATE TABLE IF NOT EXISTS event (
  position Int64,
  id String,
  kind LowCardinality(String),
  identity Nullable(String),
  author String,
  channel LowCardinality(String),
  at DateTime64(6, 'UTC'),
  in_reply_to Nullable(String),
  addressed_to Nullable(String),
  subject String,
  body Nullable(String),
  language LowCardinality(String),
  sentiment Nullable(Int16),
  urgency Int16,
  signals Int32,
  evidence Nullable(String),
  attributes Nullable(String),
  source LowCardinality(String),
  run_id Int64,
  block LowCardinality(String),
  block_rows Int64,
  INDEX event_id id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX event_identity identity TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = MergeTree ORDER BY position SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1;

-- One row makes everything visible that was written with its version: the commit of a settling. A rebuild begins a new
-- generation, which is a partition, so that the old one goes at once.
CREATE TABLE IF NOT EXISTS settling (
  version Int64,
  generation Int64,
  runs Array(Int64),
  projected String,
  definitions String,
  watermark Nullable(DateTime64(6, 'UTC')),
  position Int64
) ENGINE = MergeTree ORDER BY version SETTINGS fsync_after_insert = 1;

-- Plain MergeTree: an engine that merges by version would drop the visible row for one of a settling that was killed.
-- A row with kept = 0 says that its conversation is gone since that version. Nobody's conversations have the identity ''.
CREATE TABLE IF NOT EXISTS conversation (
  generation Int64,
  version Int64,
  kept UInt8,
  no Int64,
  id String,
  thread String,
  identity String,
  brand String,
  channel LowCardinality(String),
  opened_at DateTime64(6, 'UTC'),
  last_at DateTime64(6, 'UTC'),
  facts String,
  positions Array(Int64)
) ENGINE = MergeTree PARTITION BY generation ORDER BY (identity, id) SETTINGS fsync_after_insert = 1;

CREATE TABLE IF NOT EXISTS profile (
  generation Int64,
  version Int64,
  identity String,
  state String
) ENGINE = MergeTree PARTITION BY generation ORDER BY identity SETTINGS fsync_after_insert = 1;

-- The id is derived from the context, so deciding twice is one row: the older.
CREATE TABLE IF NOT EXISTS decision (
  id String,
  customer String,
  conversation String,
  as_of DateTime64(6, 'UTC'),
  recorded_at DateTime64(6, 'UTC'),
  record String,
  sealed Nullable(String),
  seniority Int64 MATERIALIZED -toUnixTimestamp64Micro(recorded_at)
) ENGINE = ReplacingMergeTree(seniority) ORDER BY id;

-- Whose turn it is to write; see turn.py.
CREATE TABLE IF NOT EXISTS batch_turn (
  holder String,
  beat DateTime64(6, 'UTC') DEFAULT now64(6),
  ended UInt8
) ENGINE = MergeTree ORDER BY holder TTL toDateTime(beat) + INTERVAL 1 DAY;

-- Long lists that a query asks about, dropped after it.
CREATE TABLE IF NOT EXISTS asked (
  token String,
  value String,
  at DateTime DEFAULT now()
) ENGINE = MergeTree PARTITION BY token ORDER BY value TTL at + INTERVAL 1 DAY;

-- The runs as they stand: what was settled is done, whatever was killed after it.
CREATE VIEW IF NOT EXISTS ingest_run AS
SELECT id, change, source, fingerprint, format, engine, who, settings, columns, started_at, finished_at, watermark, counts, error,
       if(id IN (SELECT arrayJoin(runs) FROM settling), 'done', state) AS state
FROM run_change FINAL;

-- The conversations that a reader of a moment sees: correct before any merge, and without rows that were never committed.
CREATE VIEW IF NOT EXISTS live_conversation AS
SELECT identity, id, argMax(no, (version, kept)) AS no, argMax(thread, (version, kept)) AS thread,
       argMax(brand, (version, kept)) AS brand, argMax(channel, (version, kept)) AS channel,
       argMax(opened_at, (version, kept)) AS opened_at, argMax(last_at, (version, kept)) AS last_at,
       argMax(facts, (version, kept)) AS facts, argMax(positions, (version, kept)) AS positions
FROM conversation
WHERE generation = {generation:Int64} AND version IN (SELECT version FROM settling WHERE version <= {version:Int64})
GROUP BY identity, id HAVING argMax(kept, (version, kept)) = 1;

-- The same of profiles, of which none ever goes.
CREATE VIEW IF NOT EXISTS live_profile AS
SELECT identity, argMax(state, version) AS state
FROM profile
WHERE generation = {generation:Int64} AND version IN (SELECT version FROM settling WHERE version <= {version:Int64})
GROUP BY identity;
