"""The local stack: pinned jars, Kafka, Dagster, up and down."""
