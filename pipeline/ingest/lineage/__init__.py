"""The OpenLineage events of an ingest."""
