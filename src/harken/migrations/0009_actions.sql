-- What was proposed to be done for a customer, who approved it, and what leaves because of it.

-- A proposal binds its exact arguments: `arguments_hash` is made with the customer's key, so it tells nobody what they were.
CREATE TABLE action_proposal (
  id text COLLATE "C" PRIMARY KEY,
  ticket text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  cause text COLLATE "C" NOT NULL,
  action text NOT NULL,
  sealed bytea NOT NULL,
  arguments_hash bytea NOT NULL,
  amount_minor bigint,
  currency text,
  people smallint NOT NULL CHECK (people BETWEEN 0 AND 2),
  state text NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'expired', 'executed', 'failed', 'in_doubt')),
  proposer text NOT NULL,
  proposed_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  decided_at timestamptz
);
CREATE INDEX action_proposal_state ON action_proposal (state, proposed_at, id);
CREATE INDEX action_proposal_spent ON action_proposal (subject, proposed_at);
CREATE INDEX action_proposal_ticket ON action_proposal (ticket);

-- Who said yes or no, to which arguments: a word is never taken back, and holds for no other arguments.
CREATE TABLE action_approval (
  proposal text COLLATE "C" NOT NULL REFERENCES action_proposal,
  arguments_hash bytea NOT NULL,
  who text NOT NULL,
  role text NOT NULL,
  approved boolean NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (proposal, arguments_hash, who)
);
CREATE TRIGGER action_approval_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON action_approval
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What is to leave, written in the transaction that decided it. `fence` grows with every claim: whoever lost a lease
-- changes nothing any more. The id is the key under which the other side takes it once.
CREATE TABLE outbox (
  id text COLLATE "C" PRIMARY KEY,
  ticket text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  proposal text COLLATE "C" REFERENCES action_proposal,
  action text NOT NULL,
  channel text NOT NULL,
  effect text NOT NULL CHECK (effect IN ('transactional', 'keyed', 'unkeyed')),
  sealed bytea NOT NULL,
  state text NOT NULL DEFAULT 'waiting'
    CHECK (state IN ('waiting', 'sending', 'in_doubt', 'unconfigured', 'delivered', 'failed', 'dropped')),
  tries int NOT NULL DEFAULT 0,
  fence bigint NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL,
  leased_until timestamptz,
  enqueued_at timestamptz NOT NULL,
  finished_at timestamptz,
  receipt text,
  error text
);
CREATE INDEX outbox_due ON outbox (next_at) WHERE state = 'waiting';
CREATE INDEX outbox_leased ON outbox (leased_until) WHERE state IN ('sending', 'in_doubt');
CREATE INDEX outbox_state ON outbox (state, enqueued_at, id) WHERE state <> 'delivered';

-- Calls that people are to make; whom to call and what about is sealed in the outbox row of the same id.
CREATE TABLE call_task (
  id text COLLATE "C" PRIMARY KEY REFERENCES outbox,
  ticket text COLLATE "C" NOT NULL,
  call_at timestamptz,
  made_at timestamptz NOT NULL,
  done_at timestamptz
);

GRANT SELECT, INSERT ON action_proposal, action_approval, outbox, call_task TO harken_app;
GRANT UPDATE (sealed, arguments_hash, amount_minor, currency, people, state, decided_at) ON action_proposal TO harken_app;
GRANT UPDATE (state, tries, fence, next_at, leased_until, finished_at, receipt, error) ON outbox TO harken_app;
GRANT UPDATE (done_at) ON call_task TO harken_app;
