"""Tests of agent_gestures."""
