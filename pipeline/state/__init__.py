"""What a cell keeps beside its tables: one port, and where it is kept: a SQLite file, or PostgreSQL."""
