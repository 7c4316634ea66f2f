"""Where a cell's Iceberg catalog and its warehouse may be, and what their faults mean."""
