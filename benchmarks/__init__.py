"""Measurements of time with generated data, for docs/performance.md. Not installed, and imported by nothing."""
