"""Documents -> passages that this reader may read, found by meaning and by word."""
