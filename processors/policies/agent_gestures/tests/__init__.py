"""What agent_gestures promises, tried out."""
