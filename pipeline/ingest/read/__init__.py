"""What Kafka and the tables hold of a range of offsets."""
