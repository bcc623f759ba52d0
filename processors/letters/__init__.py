"""Writing letters: from a template and its variables to the words that a customer reads."""
