"""Test kit: a simulated Zoom in a process of its own, and helpers to drive it."""
