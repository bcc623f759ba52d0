"""One file for each promise of the README's guarantees. Its docstring is the promise, and each story's docstring is the
sentence of the promise that it shows. What is tested at length elsewhere is shown here once, to be read."""
