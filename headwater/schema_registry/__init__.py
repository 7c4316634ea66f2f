"""A cell's embedded schema registry over HTTP, as Confluent Schema Registry answers."""
