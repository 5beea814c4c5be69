-- Programs that may fetch tokens here, where no identity provider gives them. Only a keyed digest of the secret is kept.
CREATE TABLE oauth_client (
  id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
  secret bytea NOT NULL CHECK (length(secret) = 16),
  roles text[] NOT NULL CHECK (cardinality(roles) > 0),
  scopes text[],
  jurisdictions text[] NOT NULL,
  customer text COLLATE "C",
  minutes int NOT NULL CHECK (minutes BETWEEN 1 AND 60),
  added_at timestamptz NOT NULL,
  revoked_at timestamptz,
  CHECK (('customer' = ANY (roles)) = (customer IS NOT NULL))
);

GRANT SELECT, INSERT ON oauth_client TO harken_app;
GRANT UPDATE (revoked_at) ON oauth_client TO harken_app;
