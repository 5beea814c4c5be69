-- Saved conditions over features, who fulfils them, and who began and ceased to.

CREATE TABLE segment (
  name text PRIMARY KEY,
  condition text NOT NULL,
  saved_at timestamptz NOT NULL
);

-- The customer by their first identity: see identity_member.
CREATE TABLE segment_member (
  segment text NOT NULL REFERENCES segment ON DELETE CASCADE,
  customer text COLLATE "C" NOT NULL,
  since timestamptz NOT NULL,
  PRIMARY KEY (segment, customer)
);
CREATE INDEX segment_member_customer ON segment_member (customer);

-- Entries and exits, in order; `position`: how far the log was known.
CREATE TABLE segment_change (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  segment text NOT NULL,
  customer text NOT NULL,
  entered boolean NOT NULL,
  at timestamptz NOT NULL,
  position bigint NOT NULL
);
CREATE TRIGGER segment_change_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON segment_change
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT, UPDATE, DELETE ON segment, segment_member TO harken_app;
GRANT SELECT, INSERT ON segment_change TO harken_app;
