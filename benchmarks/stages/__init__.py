"""Where an ingest's processor time goes, stage by stage: `make bench-stages`."""
