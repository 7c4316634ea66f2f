"""What becomes of a real stack that is left alone under a steady rate."""
