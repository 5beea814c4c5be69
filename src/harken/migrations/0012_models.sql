-- What language models have cost, by account; the limits stand beside it for whoever reads. Of a customer only a digest.
CREATE TABLE model_spend (
  account text COLLATE "C" PRIMARY KEY,
  scope text NOT NULL CHECK (scope IN ('day', 'month', 'customer')),
  usd numeric NOT NULL,
  tokens bigint NOT NULL,
  limit_usd numeric NOT NULL,
  limit_tokens bigint,
  updated_at timestamptz NOT NULL
);
CREATE INDEX model_spend_customers ON model_spend (updated_at) WHERE scope = 'customer';

-- Thresholds that were passed, each once.
CREATE TABLE budget_alert (
  account text COLLATE "C" NOT NULL,
  scope text NOT NULL,
  percent integer NOT NULL,
  usd numeric NOT NULL,
  tokens bigint NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (account, percent)
);
CREATE TRIGGER budget_alert_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON budget_alert
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Answers of models to questions that hold nothing personal, and who asks just now. Each can be asked again, so a crash may
-- empty it. `key` is a digest of whose eyes, which library, rules, instructions, models and question.
CREATE UNLOGGED TABLE model_answer (
  key bytea PRIMARY KEY,
  answer text,
  kept boolean NOT NULL DEFAULT false,
  kept_until timestamptz,
  claimed_until timestamptz,
  expires_at timestamptz NOT NULL
);
CREATE INDEX model_answer_expires ON model_answer (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON model_spend, model_answer TO harken_app;
GRANT SELECT, INSERT ON budget_alert TO harken_app;
