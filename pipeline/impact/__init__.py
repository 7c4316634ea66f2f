"""What became of some records in every table, and what an hour of a table was made from."""
