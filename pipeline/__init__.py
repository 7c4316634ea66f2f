"""The engine: Kafka to Iceberg, hours, ledger and contracts, usable from plain Python."""
