"""The demo: what it counts and shows, without a server."""
