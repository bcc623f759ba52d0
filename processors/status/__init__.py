"""How it is: what servers, topics, schemas and workers say when they are asked all at once, and what needs a person."""
