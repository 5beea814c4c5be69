-- Whoever asks why a customer was told something begins with the customer and a day. The manifest names customers by token only.
CREATE INDEX answer_record_customer ON answer_record ((manifest::jsonb ->> 'customer'), at, id);
