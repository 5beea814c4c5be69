"""What was proposed -> what is done: checked against a catalogue, approved by people where it must be, delivered once."""
