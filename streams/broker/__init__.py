"""Kafka: provisioning its topics, closing its clients, and reading fetched batches within bounds."""
