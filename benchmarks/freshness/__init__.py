"""How long after it was produced an event can be queried, at a steady rate: `make bench-freshness`."""
