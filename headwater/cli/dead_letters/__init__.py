"""`headwater dead-letters`."""
