-- Tickets are looked for by whose law holds for their customer.

-- '': nobody knows. What was opened before has none, so the column says the same as the folded state.
ALTER TABLE ticket ADD COLUMN jurisdiction text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX ticket_jurisdiction ON ticket (jurisdiction, number) WHERE jurisdiction <> '';
