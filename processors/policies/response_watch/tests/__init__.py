"""Tests of response_watch."""
