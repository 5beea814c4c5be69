"""Where documents are kept: versions, passages, the words and vectors they are found by. Written by the librarian alone."""
