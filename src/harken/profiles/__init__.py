"""Log -> profile: features declared once, kept as tiles per identity, merged at read as of any moment."""
