"""A bad deploy and the day that an operator has of it, played on a real stack: `make bad-day`."""
