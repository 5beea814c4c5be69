"""What an answer was made of: a manifest of digests, and the sealed texts that they are digests of."""
