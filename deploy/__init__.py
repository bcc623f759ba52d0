"""How to run Careline: the local stack, containers, monitoring."""
