"""What an operator asks of an ingest: quarantine, accepted loss, filling."""
