"""Personal data -> tokens before prompts, logs and audit; raw text -> bytes that only its subject's key opens."""
