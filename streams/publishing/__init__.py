"""Publishing touchpoints: what one must be, who may write it, and how it reaches its topic."""
