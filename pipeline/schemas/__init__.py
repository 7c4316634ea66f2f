"""Schema registry, wire format and compatibility."""
