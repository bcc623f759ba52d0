"""The policies, a folder each. ``registry`` finds those that are installed; nothing else names them."""
