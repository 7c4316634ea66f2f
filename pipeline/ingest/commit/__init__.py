"""Writing and committing a micro-batch, and accounting for its offsets."""
