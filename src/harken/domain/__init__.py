"""The nouns, in the order the data flows. Plain frozen values; they import nothing but each other."""
