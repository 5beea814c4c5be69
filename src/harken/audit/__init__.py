"""What was done -> a log that only grows, sealed in a Merkle tree whose signed heads are kept elsewhere, too."""
