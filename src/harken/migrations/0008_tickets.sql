-- Tickets: their changes, which only grow, and what follows from them.

CREATE SEQUENCE ticket_number AS bigint;

-- The truth: a ticket is its changes, folded in order. `sealed`: the words of people in it, under the customer's key. Two
-- writers who saw the same version cannot both write the next.
CREATE TABLE ticket_change (
  position bigint GENERATED ALWAYS AS IDENTITY,
  ticket text COLLATE "C" NOT NULL,
  version int NOT NULL CHECK (version > 0),
  at timestamptz NOT NULL,
  by text NOT NULL,
  name text NOT NULL,
  body text NOT NULL,
  sealed bytea,
  PRIMARY KEY (ticket, version)
);
CREATE UNIQUE INDEX ticket_change_position ON ticket_change (position);
CREATE TRIGGER ticket_change_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON ticket_change
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The projection: `state` is the folded ticket, the columns beside it are what lists and sweeps look for. `look_at`: when a
-- promise will next be near or broken, as things stand.
CREATE TABLE ticket (
  id text COLLATE "C" PRIMARY KEY,
  number bigint NOT NULL UNIQUE,
  customer text COLLATE "C" NOT NULL,
  status text NOT NULL,
  priority text NOT NULL,
  owner_type text NOT NULL,
  owner_id text NOT NULL,
  tags text[] NOT NULL,
  version int NOT NULL,
  updated_at timestamptz NOT NULL,
  snoozed_until timestamptz,
  merged_into text COLLATE "C",
  state text NOT NULL,
  sealed bytea,
  look_at timestamptz
);
CREATE INDEX ticket_customer ON ticket (customer, number);
CREATE INDEX ticket_owner ON ticket (owner_type, owner_id) WHERE status NOT IN ('resolved', 'closed');
CREATE INDEX ticket_updated ON ticket (updated_at);
CREATE INDEX ticket_tags ON ticket USING gin (tags);
CREATE INDEX ticket_snoozed ON ticket (snoozed_until) WHERE snoozed_until IS NOT NULL;
CREATE INDEX ticket_look ON ticket (look_at) WHERE look_at IS NOT NULL;

-- Which ticket a message of the log is in now; a merge and a split move it.
CREATE TABLE ticket_message (
  event text COLLATE "C" PRIMARY KEY REFERENCES event,
  ticket text COLLATE "C" NOT NULL
);
CREATE INDEX ticket_message_ticket ON ticket_message (ticket);

GRANT SELECT, INSERT ON ticket_change TO harken_app;
GRANT SELECT, INSERT, UPDATE ON ticket, ticket_message TO harken_app;
GRANT USAGE ON SEQUENCE ticket_number TO harken_app;
