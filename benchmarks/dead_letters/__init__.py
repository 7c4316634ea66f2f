"""Finding and replaying a hundred thousand dead letters: `make bench-dead-letters`."""
