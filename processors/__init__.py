"""What runs on the streams: roles, the pure core, the command line."""
