"""Which hours to build, and why: pure functions of metadata."""
