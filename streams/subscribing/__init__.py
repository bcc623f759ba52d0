"""Subscribing to topics of the contract, and the dead letters of what cannot be read."""
