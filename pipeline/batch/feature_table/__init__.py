"""Feature tables, derived from their histories."""
