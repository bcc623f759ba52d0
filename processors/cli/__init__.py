"""The `careline` command line: one module a command group."""
