"""One suite for each edge: the real adapter and its twin must both pass."""
