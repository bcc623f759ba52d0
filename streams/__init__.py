"""The wire and the contract."""
