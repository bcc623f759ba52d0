"""Tests of delay_care."""
