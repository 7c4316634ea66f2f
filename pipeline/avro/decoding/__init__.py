"""Decoding programs: compiled from pairs of schemas, run over the values of a whole batch."""
