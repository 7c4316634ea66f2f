"""Whether the files that a table needs are there, and are what was written."""
