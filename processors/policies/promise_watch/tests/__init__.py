"""Tests of promise_watch."""
