"""Whether memory stays within its setting under a backlog of 20 M events: `make bench-backlog`."""
