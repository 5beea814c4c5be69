-- name: no_longer_asked
-- A partition goes at once, and nothing is left to merge.
ALTER TABLE asked DROP PARTITION {token:String};

-- name: history
-- What this database was made with; a table that is not there yet is an empty one.
SELECT name, checksum FROM schema_migration;

-- name: make_history
-- Before the first migration.
CREATE TABLE IF NOT EXISTS schema_migration (name String, checksum String, at DateTime64(6, 'UTC')) ENGINE = MergeTree ORDER BY name;

-- name: tables
-- A database that has tables, and no history of ours, is somebody else's.
SELECT name FROM system.tables WHERE database = currentDatabase() AND NOT is_temporary;

-- name: server_version
-- For people who look.
SELECT version() AS value;

-- name: claim
-- By the server's clock: only it is everybody's.
INSERT INTO batch_turn (holder, ended) VALUES ({holder:String}, 0);

-- name: give_back
-- At once, where the end of a lease is only seen when it is over.
INSERT INTO batch_turn (holder, ended) VALUES ({holder:String}, 1);

-- name: others
-- Who else has a turn that is not given back: by their lease, or, where one process has the store, by being of it.
SELECT holder, toUnixTimestamp64Micro(max(beat)) AS last_beat FROM batch_turn WHERE holder <> {holder:String}
GROUP BY holder
HAVING max(ended) = 0 AND if({process:String} = '', max(beat) > now64(6) - {lease:Int64}, startsWith(holder, {process:String}));

-- name: holds_turn
-- A lease that was not renewed in time is over, and another batch may have taken its turn.
SELECT toInt64(count()) AS value FROM (
  SELECT max(beat) AS last, max(ended) AS over FROM batch_turn WHERE holder = {holder:String} GROUP BY holder
) WHERE over = 0 AND ({process:String} <> '' OR last > now64(6) - {lease:Int64});

-- name: unfinished_run
-- The same content, read in the same way, continues the run that was interrupted.
SELECT id FROM ingest_run
WHERE fingerprint = {fingerprint:String} AND format = {format:String} AND columns = {columns:String} AND state <> 'done'
ORDER BY id DESC LIMIT 1;

-- name: unsettled_runs
-- Interrupted runs whose events are in the log and nowhere else, because their file never came again.
SELECT id FROM ingest_run
WHERE state <> 'done' AND id <> {but:Int64}
  AND id IN (SELECT run_id FROM event WHERE run_id IN (SELECT id FROM ingest_run WHERE state <> 'done'))
ORDER BY id;

-- name: last_run
-- The next run's number follows it: one batch begins at a time.
SELECT coalesce(max(id), 0) AS value FROM run_change;

-- name: resume_run
-- The old error is history once the run goes on.
INSERT INTO run_change
SELECT * REPLACE (change + 1 AS change, 'running' AS state, NULL AS error) FROM run_change FINAL WHERE id = {id:Int64};

-- name: done_blocks
-- What a resumed run may skip: blocks of which every row is in.
SELECT block, toInt64(count()) AS rows FROM event WHERE run_id = {id:Int64} GROUP BY block HAVING count() >= max(block_rows);

-- name: finish_run
-- The counts are the report, kept.
INSERT INTO run_change
SELECT * REPLACE (change + 1 AS change, 'done' AS state, {at:DateTime64(6, 'UTC')} AS finished_at,
                  {watermark:Nullable(DateTime64(6, 'UTC'))} AS watermark, {counts:String} AS counts)
FROM run_change FINAL WHERE id = {id:Int64};

-- name: fail_run
-- One line says why; the next run with the same content resumes. A run that is folded in stays done: nothing repeats it.
INSERT INTO run_change
SELECT * REPLACE (change + 1 AS change, 'failed' AS state, {at:DateTime64(6, 'UTC')} AS finished_at, {error:String} AS error)
FROM run_change FINAL WHERE id = {id:Int64} AND id NOT IN (SELECT id FROM ingest_run WHERE state = 'done');

-- name: set_aside_before
-- A row that failed before fails only once, however often the file is read.
SELECT line, reason FROM quarantine FINAL WHERE fingerprint = {fingerprint:String};

-- name: last_quarantined
-- The next rows' numbers follow it.
SELECT coalesce(max(id), 0) AS value FROM quarantine;

-- name: quarantined
-- What still waits to be mended, oldest first.
SELECT id, line, reason, format, fingerprint, sealed FROM quarantine FINAL
WHERE released_at IS NULL AND id > {after:Int64} ORDER BY id LIMIT {limit:Int64};

-- name: release
-- Mended rows stay on record with the moment they were taken in.
INSERT INTO quarantine
SELECT * REPLACE (change + 1 AS change, {at:DateTime64(6, 'UTC')} AS released_at)
FROM quarantine FINAL WHERE toString(id) IN (SELECT value FROM asked WHERE token = {token:String});

-- name: attempts
-- Every beginning of a run, the first or another, is a change: no two have the same number of changes before them.
SELECT toInt64(sum(change)) AS value FROM run_change FINAL;

-- name: last_position
-- None is 0: the log is empty.
SELECT coalesce(max(position), 0) AS value FROM event;

-- name: keys
-- Wrapped keys of the subjects that have one: the oldest, if two processes made one at once.
SELECT subject, argMin(wrapped, (made_at, wrapped)) AS wrapped FROM subject_key
WHERE subject IN (SELECT value FROM asked WHERE token = {token:String}) GROUP BY subject;

-- name: known
-- Which ids are in the log already.
SELECT DISTINCT id FROM event WHERE id IN (SELECT value FROM asked WHERE token = {token:String});

-- name: arrived
-- The engine drops a block that it has had already and says nothing: count what is there under these positions.
SELECT toInt64(count()) AS value FROM event
WHERE position BETWEEN {first:Int64} AND {last:Int64} AND run_id = {run:Int64} AND block = {block:String};

-- name: whole_block
-- How many rows a block brought in, once all of them are there; else 0.
SELECT toInt64(if(count() >= max(block_rows), count(), 0)) AS value FROM event
WHERE run_id = {run:Int64} AND block = {block:String};

-- name: parts
-- Which ranges of positions have rows, so that nobody looks between two attempts.
SELECT DISTINCT intDiv(position, {size:Int64}) AS part FROM event WHERE {run:Int64} = 0 OR run_id = {run:Int64} ORDER BY part;

-- name: thin
-- Everything of an event but its text.
SELECT position, id, kind, identity, author, channel, toUnixTimestamp64Micro(at) AS at, in_reply_to, addressed_to, language,
       sentiment, urgency, signals, evidence, attributes
FROM event
WHERE position BETWEEN {first:Int64} AND {last:Int64} AND ({run:Int64} = 0 OR run_id = {run:Int64})
  AND (empty({identities:Array(String)}) OR identity IN {identities:Array(String)});

-- name: neighbours
-- Threads that new events may join: by their parents, by being somebody's missing parent, by missing the same parent,
-- or by the customer's messages that carry no reply link and are linked by time.
WITH
  live AS (SELECT thread, identity, positions FROM live_conversation(generation = {generation:Int64}, version = {version:Int64})),
  near AS (SELECT value FROM asked WHERE token = {ids:String} UNION ALL SELECT value FROM asked WHERE token = {parents:String}),
  touched AS (
    SELECT thread FROM live WHERE thread IN near
    UNION ALL
    SELECT thread FROM live ARRAY JOIN positions AS position WHERE position IN (SELECT position FROM event WHERE id IN near)
    UNION ALL
    SELECT thread FROM live WHERE identity IN (SELECT value FROM asked WHERE token = {identities:String})
  ),
  turns AS (SELECT thread, position FROM live ARRAY JOIN positions AS position WHERE thread IN touched)
SELECT e.position AS position, id, kind, identity, author, channel, toUnixTimestamp64Micro(at) AS at, in_reply_to, addressed_to,
       language, sentiment, urgency, signals, evidence, attributes, thread
FROM (SELECT * FROM event WHERE position IN (SELECT position FROM turns)) AS e
JOIN turns ON turns.position = e.position;

-- name: snapshot
-- What a reader sees, however long it reads: everything up to the last settling.
SELECT generation, version FROM settling ORDER BY version DESC LIMIT 1;

-- name: used_versions
-- A settling that was killed has used one too, and its rows must never be taken for another's.
SELECT greatest((SELECT coalesce(max(version), 0) FROM settling), (SELECT coalesce(max(version), 0) FROM conversation),
                (SELECT coalesce(max(version), 0) FROM profile)) AS value;

-- name: used_numbers
-- Conversations are numbered in the order in which they were written.
SELECT coalesce(max(no), 0) AS value FROM conversation;

-- name: generations_of_conversations
-- Old ones, and those of a rebuild that was killed.
SELECT DISTINCT generation FROM conversation WHERE generation <> {generation:Int64};

-- name: generations_of_profiles
-- See generations_of_conversations.
SELECT DISTINCT generation FROM profile WHERE generation <> {generation:Int64};

-- name: drop_conversations
-- A partition goes at once.
ALTER TABLE conversation DROP PARTITION {old:Int64};

-- name: drop_profiles
-- See drop_conversations.
ALTER TABLE profile DROP PARTITION {old:Int64};

-- name: forget_conversations
-- They are written anew with this version; those that are not are gone with it.
INSERT INTO conversation (generation, version, kept, identity, id)
SELECT {generation:Int64}, {next:Int64}, 0, identity, id
FROM live_conversation(generation = {generation:Int64}, version = {version:Int64})
WHERE thread IN (SELECT value FROM asked WHERE token = {token:String});

-- name: old_states
-- What new states are merged into.
SELECT identity, state FROM live_profile(generation = {generation:Int64}, version = {version:Int64})
WHERE identity IN (SELECT value FROM asked WHERE token = {token:String});

-- name: settle
-- The commit: one row, and everything of this version is there, its runs are done, and nobody looks through the log again
-- for how far it goes.
INSERT INTO settling
SELECT {next:Int64}, {generation:Int64}, {runs:Array(Int64)}, {projection:String}, {definitions:String},
       (SELECT maxOrNull(at) FROM event), (SELECT max(position) FROM event);

-- name: definitions
-- States of other definitions cannot be merged into.
SELECT definitions FROM settling WHERE projected = 'profile' ORDER BY version DESC LIMIT 1;

-- name: totals
-- What the store holds, for reports.
SELECT (SELECT toInt64(count()) FROM event) AS events, (SELECT maxOrNull(at) FROM event) AS watermark,
       (SELECT coalesce(max(position), 0) FROM event) AS position,
       (SELECT toInt64(count()) FROM live_profile(generation = {generation:Int64}, version = {version:Int64})) AS customers,
       toInt64(sum(conversations)) AS conversations, toInt64(count()) AS threads, toInt64(max(turns)) AS largest
FROM (SELECT count() AS conversations, sum(length(positions)) AS turns
      FROM live_conversation(generation = {generation:Int64}, version = {version:Int64}) GROUP BY thread);

-- name: newest
-- As of when, and up to where: the last settling remembers it, and only a store without one looks through its log.
SELECT watermark, position FROM (
  SELECT version, watermark, position FROM settling
  UNION ALL
  SELECT 0, maxOrNull(at), coalesce(max(position), 0) FROM event WHERE (SELECT count() FROM settling) = 0
) ORDER BY version DESC LIMIT 1;

-- name: identities_of
-- A customer's own id may be known at several sources; the full identity names one.
SELECT identity FROM live_profile(generation = {generation:Int64}, version = {version:Int64})
WHERE identity = {customer:String}
   OR identity IN (SELECT DISTINCT concat(splitByChar(':', identity)[1], ':', {customer:String}) FROM profile)
ORDER BY identity;

-- name: shared_names
-- Names that two sources use for different customers: there the full identity is shown.
SELECT substring(identity, position(identity, ':') + 1) AS name
FROM live_profile(generation = {generation:Int64}, version = {version:Int64}) GROUP BY name HAVING count() > 1 ORDER BY name;

-- name: spans
-- Where to cut the identities into pieces of one size, and where to stop after the first so many.
SELECT identity AS key, n = {most:Int64} + 1 AS beyond
FROM (SELECT identity, toInt64(row_number() OVER (ORDER BY identity)) AS n
      FROM live_profile(generation = {generation:Int64}, version = {version:Int64}))
WHERE n > 1 AND n <= {most:Int64} + 1 AND ((n - 1) % {size:Int64} = 0 OR n = {most:Int64} + 1) ORDER BY identity;

-- name: spans_of_ids
-- The same of the conversations' ids.
SELECT id AS key, 0 AS beyond
FROM (SELECT id, toInt64(row_number() OVER (ORDER BY id)) AS n
      FROM live_conversation(generation = {generation:Int64}, version = {version:Int64}))
WHERE (n - 1) % {size:Int64} = 0 AND n > 1 ORDER BY id;

-- name: dossiers
-- Conversations beside their customer's state, customers in order.
SELECT no, id, thread, c.identity AS identity, brand, channel, facts, positions, state
FROM (SELECT * FROM live_conversation(generation = {generation:Int64}, version = {version:Int64})
      WHERE identity >= {start:String} AND ({stop:Nullable(String)} IS NULL OR identity < {stop:Nullable(String)})) AS c
JOIN (SELECT * FROM live_profile(generation = {generation:Int64}, version = {version:Int64})
      WHERE identity >= {start:String} AND ({stop:Nullable(String)} IS NULL OR identity < {stop:Nullable(String)})) AS p
  ON p.identity = c.identity
ORDER BY identity, no;

-- name: conversations_of
-- All conversations of one customer, oldest first.
SELECT no, id, thread, identity, brand, channel, facts, positions
FROM live_conversation(generation = {generation:Int64}, version = {version:Int64})
WHERE identity IN {identities:Array(String)} ORDER BY opened_at, no;

-- name: states
-- The mergeable states of one customer's identities.
SELECT identity AS key, state AS packed FROM live_profile(generation = {generation:Int64}, version = {version:Int64})
WHERE identity IN {identities:Array(String)} ORDER BY identity;

-- name: all_states
-- Stored states between two identities, for the consistency check.
SELECT identity AS key, state AS packed FROM live_profile(generation = {generation:Int64}, version = {version:Int64})
WHERE identity >= {start:String} AND ({stop:Nullable(String)} IS NULL OR identity < {stop:Nullable(String)}) ORDER BY identity;

-- name: all_facts
-- Conversations' facts between two ids, for the same check.
SELECT id AS key, facts AS packed FROM live_conversation(generation = {generation:Int64}, version = {version:Int64})
WHERE id >= {start:String} AND ({stop:Nullable(String)} IS NULL OR id < {stop:Nullable(String)}) ORDER BY id;

-- name: bodies
-- Turns with what opens them; a turn whose key is gone comes back without one.
SELECT position, id, kind, author, channel, at, in_reply_to, addressed_to, language, sentiment, urgency, signals, evidence,
       e.subject AS subject, body, nullIf(k.wrapped, '') AS wrapped
FROM (SELECT * FROM event WHERE position IN {positions:Array(Int64)}) AS e
LEFT JOIN (
  SELECT subject, argMin(wrapped, (made_at, wrapped)) AS wrapped FROM subject_key
  WHERE subject IN (SELECT subject FROM event WHERE position IN {positions:Array(Int64)}) GROUP BY subject
) AS k ON k.subject = e.subject;
