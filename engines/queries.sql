-- name: make_table
-- Whoever runs the sink owns it; `generation` tells a job that was started afresh from the one before it.
CREATE TABLE IF NOT EXISTS stream_profile (
  identity text COLLATE "C" PRIMARY KEY,
  state text NOT NULL,
  layout text NOT NULL,
  generation integer NOT NULL,
  version bigint NOT NULL
)

-- name: upsert
-- The guard makes a message that comes again, or late from a sink that was thought dead, change nothing.
INSERT INTO stream_profile AS held (identity, state, layout, generation, version)
SELECT * FROM unnest(%(identities)s::text[], %(states)s::text[], %(layouts)s::text[], %(generations)s::integer[], %(versions)s::bigint[])
ON CONFLICT (identity) DO UPDATE
SET state = excluded.state, layout = excluded.layout, generation = excluded.generation, version = excluded.version
WHERE (held.generation, held.version) < (excluded.generation, excluded.version)
