"""The demo: sends a real snow-storm day through the whole system, and counts the results from the topics."""
