"""The schema registry: schemas by id, and the subjects that the contract needs."""
