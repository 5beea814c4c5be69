"""How what was decided reaches a customer or a system: the conversation itself, e-mail, signed HTTP requests."""
