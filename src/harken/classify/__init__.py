"""Stage: a message -> what it is about, with probabilities that mean what they say."""
