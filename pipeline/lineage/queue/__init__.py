"""Events that wait on disk for a collector: put there first, and taken away once it has them."""
