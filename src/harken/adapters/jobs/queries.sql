-- name: inflight
-- For the page of metrics.
SELECT count(*) AS jobs FROM procrastinate_jobs WHERE status = 'doing';

-- name: defer
-- A job that is asked for again before it began is one job: the caller undoes this statement alone when it is refused.
SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
  'work', %(task)s::text, 0, %(about)s::text, %(task)s::text || ' ' || %(about)s::text,
  jsonb_build_object('about', %(about)s::text), %(at)s::timestamptz
)::procrastinate_job_to_defer_v1]);
