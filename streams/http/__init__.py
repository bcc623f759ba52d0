"""HTTP, in and out: the ports that roles open, and the hosts that a letter may be sent to."""
