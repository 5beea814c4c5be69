"""The sentences. Start reading here; everything else is a word in them."""
