"""Draft -> problems: what a message may not say, checked in code after a model has written it."""
