"""Everything that runs Careline somewhere: the local stack, containers, monitoring."""
