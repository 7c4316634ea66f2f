"""Producing events: generators of real-looking data, and files."""
