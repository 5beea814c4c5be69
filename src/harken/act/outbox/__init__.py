"""What is to leave: written with what decided it, claimed by one worker at a time, and delivered once."""
