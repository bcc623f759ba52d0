"""HTTP: the servers that roles run, and the hosts that a letter may be sent to."""
