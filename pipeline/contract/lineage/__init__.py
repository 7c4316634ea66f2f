"""Which columns a column is made from."""
