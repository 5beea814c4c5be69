"""The vectors of current passages: one index a model, one of them serving."""
