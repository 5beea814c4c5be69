-- name: inflight
-- For the page of metrics.
SELECT count(*) AS jobs FROM procrastinate_jobs WHERE status = 'doing';

-- name: defer
-- A job that is asked for again before it began is one job. Nothing fails then: a failure, even one that is undone, would
-- make this connection forget all its prepared statements.
INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, scheduled_at)
VALUES (
  'work', %(task)s::text, nullif(%(about)s::text, ''), %(task)s::text || ' ' || %(about)s::text,
  jsonb_build_object('about', %(about)s::text), %(at)s::timestamptz
)
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING;
