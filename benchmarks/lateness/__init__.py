"""Rows scanned to keep hours right as late data comes, against a lookback: `make bench-lateness`."""
