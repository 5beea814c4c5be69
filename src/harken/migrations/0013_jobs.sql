-- Jobs and schedules: tables and functions of procrastinate, as the installed version of it has them.
-- include: procrastinate sql/schema.sql c70ec4b400a60ad9592787653aae5ae77ae41bf801d56b5bd2712751a07f2009

GRANT SELECT, INSERT, UPDATE, DELETE ON procrastinate_jobs, procrastinate_events, procrastinate_workers,
  procrastinate_periodic_defers TO harken_app;
GRANT USAGE, SELECT ON SEQUENCE procrastinate_jobs_id_seq, procrastinate_events_id_seq,
  procrastinate_workers_id_seq, procrastinate_periodic_defers_id_seq TO harken_app;
