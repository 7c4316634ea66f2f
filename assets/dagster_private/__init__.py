"""What Dagster keeps to itself and Headwater uses: all of it, each part with why.

Another version may change it without a word: so the range in pyproject.toml ends at the next minor
version, and tests/unit/project/test_private_parts.py tells what has changed.
"""
