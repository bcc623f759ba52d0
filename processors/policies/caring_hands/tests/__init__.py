"""Tests of caring_hands."""
