"""Kafka as everything here uses it: its topics, its clients, and what a fetched batch may hold."""
