"""Producers in other languages: what they ask the registry, and programs that publish (`make interop`)."""
