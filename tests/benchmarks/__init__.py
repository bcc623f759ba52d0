"""What the speed is, against whom, and where the time goes."""
