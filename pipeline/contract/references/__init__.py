"""Reference data: located, typed and read."""
