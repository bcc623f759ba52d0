"""Tests of playbook files: what they may contain, how mistakes are reported, how files are compared and watched."""
