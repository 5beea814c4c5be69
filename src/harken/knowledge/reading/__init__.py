"""Files as people keep them -> drafts of documents, each with what it says of itself, or one line why not."""
