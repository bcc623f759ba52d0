"""Publishing touchpoints: validation, who may write which type, and the producer."""
