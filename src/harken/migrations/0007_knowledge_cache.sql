-- Answers of the search that processes share. Each can be worked out again, so a crash may empty it.

CREATE UNLOGGED TABLE knowledge_cache (
  key bytea PRIMARY KEY,
  value bytea NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX knowledge_cache_expires ON knowledge_cache (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON knowledge_cache TO harken_app;
