"""Measurements of time with generated data, for docs/performance.md. Not installed, and imported by nothing."""

import os

os.environ.setdefault("SECRET_KEY", "measurements-only-q8ZrV1nXw5tKc3LyPb7HdMf2SgJa9UeTo4RiNxWk6BvCz0YhQmDs")
