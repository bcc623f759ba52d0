"""Writing letters: renders a template and its variables to the text that a customer reads."""
