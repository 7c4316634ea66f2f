"""The compacted topic of a product's dead letters: fed from their table, which is the truth."""
