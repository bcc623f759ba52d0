"""What caring_hands promises, tried out."""
