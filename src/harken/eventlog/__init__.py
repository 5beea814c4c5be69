"""Event -> log: kinds, versions, what a source may send, and the log that only grows."""
