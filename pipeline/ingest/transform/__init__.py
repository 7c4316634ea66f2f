"""Records to rows and dead letters, in columns; nothing here reads or writes."""
