"""Outreach: from a request to a letter that left exactly once, or a stated reason why it did not."""
