"""Stage 0: files and messages as they come -> events that are checked, cleaned and read."""
