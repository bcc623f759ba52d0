"""What comes back over HTTP: customers who end letters, and providers and shops who report what became of one."""
