"""What mention_reply promises, tried out."""
