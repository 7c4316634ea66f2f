"""`headwater contract`."""
