"""The schema registry: which schema an id stands for, and which subjects the contract needs."""
