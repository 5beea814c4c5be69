"""The words of current passages: for a term and a scope, where it stands and how often."""
