"""Feature values for training: what was known of an entity at a time, and no more."""
