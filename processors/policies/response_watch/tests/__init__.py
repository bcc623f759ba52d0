"""What response_watch promises, tried out."""
