"""The HTTP doors: parse, call one sentence, answer."""
