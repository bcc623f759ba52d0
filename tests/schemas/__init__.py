"""The contract's schemas, their examples and their evolution."""
