"""Who is asking, what they may, how often, and whether they asked the same before."""
