"""The policies, one folder each. ``registry`` finds the installed ones; no other code names them."""
