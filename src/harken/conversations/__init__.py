"""Stage 2: log -> threads, cases, facts, standing, topic, summary. Pure functions of the set of turns."""
