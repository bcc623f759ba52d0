"""What promise_watch promises, tried out."""
