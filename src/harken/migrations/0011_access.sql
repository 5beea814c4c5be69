-- Who may not come any more, how often somebody came, what was answered before, and tickets for a socket.

-- Tokens that are refused although they have not expired. A digest: an id may say whose token it was.
CREATE TABLE revoked_token (
  id bytea PRIMARY KEY,
  revoked_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);

-- Requests that a caller has left. A crash may empty it: everybody then begins with a full bucket.
CREATE UNLOGGED TABLE rate_bucket (
  key bytea PRIMARY KEY,
  tokens double precision NOT NULL,
  at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- What a POST with an Idempotency-Key was answered, sealed. `attempt` fences: who was overtaken writes nothing.
CREATE TABLE idempotency (
  caller bytea NOT NULL,
  key bytea NOT NULL,
  digest bytea NOT NULL,
  attempt bigint NOT NULL,
  running_until timestamptz,
  sealed bytea,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (caller, key),
  CHECK ((running_until IS NULL) = (sealed IS NOT NULL))
);
CREATE SEQUENCE idempotency_attempt AS bigint OWNED BY idempotency.attempt;
CREATE INDEX idempotency_expires ON idempotency (expires_at);

-- Only the ticket itself opens what is sealed here; the table has its digest.
CREATE TABLE socket_ticket (
  id bytea PRIMARY KEY,
  sealed bytea NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX socket_ticket_expires ON socket_ticket (expires_at);

GRANT SELECT, INSERT, DELETE ON revoked_token, socket_ticket TO harken_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON rate_bucket, idempotency TO harken_app;
GRANT USAGE ON SEQUENCE idempotency_attempt TO harken_app;
