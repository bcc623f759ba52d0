"""The demo: a real snow-storm day through the whole backbone, counted from the topics at the end."""
