"""OpenLineage events, one transport a file."""
