"""Talking to Kafka: connect, fetch, topics, produce."""
