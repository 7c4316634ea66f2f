"""Mending dead letters: by SQL expressions, or by a function of the product's folder."""
