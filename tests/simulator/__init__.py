"""The simulator: real flights, made-up people."""
