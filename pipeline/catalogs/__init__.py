"""The databases that may hold a cell's Iceberg catalog."""
