"""What recovery promises, tried out."""
