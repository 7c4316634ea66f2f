"""Looking at dead letters: what people are shown of them, and what of that is personal."""
