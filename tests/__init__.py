"""What Careline promises, tried out."""
