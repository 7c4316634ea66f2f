"""What expectations ask of rows, counted by one query for all of them and for all hours."""
