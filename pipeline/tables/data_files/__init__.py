"""Data files: written sorted and bounded, read by column id, rewritten without a change of rows."""
