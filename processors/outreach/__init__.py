"""Outreach: turns each request into a letter that is sent exactly once, or records the reason why it was not."""
