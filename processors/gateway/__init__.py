"""The HTTP gateway: unsubscribe requests from customers, and outcomes reported by providers and shops."""
