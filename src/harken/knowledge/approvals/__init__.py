"""What a person made public of what people answered: by hand or by a rule, on record, and taken back the same way."""
