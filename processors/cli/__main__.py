"""`python -m processors.cli`, where the console script is not on the path."""

from processors.cli import main

main()
