"""What is wrong with the SQL of derived tables, found without running it."""
