"""The books: every offset accounted for."""
