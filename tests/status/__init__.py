"""What `careline status` sees, judges and shows."""
