"""De-duplication by uuid."""
