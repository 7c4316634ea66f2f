"""Other ways to do what an ingest does, against the one that was taken: `make bench-trials`."""
