"""What delay_care promises, tried out."""
