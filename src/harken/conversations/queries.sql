-- name: neighbours
-- Every turn of every thread that new turns may join: by their parents, by being somebody's missing parent, by missing the
-- same one, or by the same customer's turns on a channel whose messages are linked by time, as far as such a link reaches.
WITH touched AS (
  SELECT c.thread FROM unnest(%(parents)b::text[]) AS parent JOIN event e ON e.id = parent
  JOIN turn t ON t.position = e.position JOIN conversation c ON c.no = t.conversation
  UNION SELECT c.thread FROM conversation c WHERE c.thread = ANY(%(parents)b::text[] || %(ids)b::text[])
  UNION SELECT c.thread
  FROM unnest(%(identities)b::text[], %(channels)b::text[], %(ats)b::bigint[]) AS new (identity, channel, at)
  JOIN event e ON e.identity = new.identity AND e.channel = new.channel
    AND e.at BETWEEN 'epoch'::timestamptz + (new.at - %(gap)s) * interval '1 microsecond'
                 AND 'epoch'::timestamptz + (new.at + %(gap)s) * interval '1 microsecond'
  JOIN turn t ON t.position = e.position JOIN conversation c ON c.no = t.conversation
)
SELECT e.position, e.id, (extract(epoch FROM e.at) * 1000000)::bigint AS at, e.kind, e.identity, e.author, e.channel,
       e.in_reply_to, e.addressed_to, e.language, e.sentiment, e.urgency, e.signals, e.evidence, c.thread
FROM touched JOIN conversation c ON c.thread = touched.thread
CROSS JOIN LATERAL unnest(c.positions) AS at_position
JOIN event e ON e.position = at_position;

-- name: of_threads
-- What is there now, to be told from what should be.
SELECT no, id, positions FROM conversation WHERE thread = ANY(%(threads)s);

-- name: forget
-- Conversations whose turns are all in others now.
DELETE FROM conversation WHERE id = ANY(%(ids)s);

-- name: keep
-- A conversation keeps its number as long as it keeps its id.
INSERT INTO conversation (no, id, thread, identity, brand, channel, opened_at, last_at, facts, positions)
SELECT coalesce(no, nextval('conversation_no')), id, thread, identity, brand, channel,
       'epoch'::timestamptz + opened_at * interval '1 microsecond', 'epoch'::timestamptz + last_at * interval '1 microsecond',
       facts, string_to_array(positions, ',')::bigint[]
FROM unnest(%(no)b::bigint[], %(id)b::text[], %(thread)b::text[], %(identity)b::text[], %(brand)b::text[],
            %(channel)b::text[], %(opened_at)b::bigint[], %(last_at)b::bigint[], %(facts)b::text[], %(positions)b::text[])
       AS made (no, id, thread, identity, brand, channel, opened_at, last_at, facts, positions)
ON CONFLICT (no) DO UPDATE SET thread = EXCLUDED.thread, identity = EXCLUDED.identity, brand = EXCLUDED.brand,
  channel = EXCLUDED.channel, opened_at = EXCLUDED.opened_at, last_at = EXCLUDED.last_at, facts = EXCLUDED.facts,
  positions = EXCLUDED.positions
RETURNING no, id;

-- name: keep_turns
-- New turns, and those that moved to another conversation.
INSERT INTO turn (position, conversation) SELECT * FROM unnest(%(positions)b::bigint[], %(conversations)b::bigint[])
ON CONFLICT (position) DO UPDATE SET conversation = EXCLUDED.conversation;
