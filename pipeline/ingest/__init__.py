"""Kafka to Iceberg, exactly once: plan, decode, enrich, gate, deduplicate, run."""
