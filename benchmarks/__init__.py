"""Timings as ratios against a peer in the same run; absolute figures differ between machines."""
