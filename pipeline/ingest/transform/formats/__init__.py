"""What values of a topic may be: each format read in columns, and record by record."""
