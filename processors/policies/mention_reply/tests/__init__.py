"""Tests of mention_reply."""
