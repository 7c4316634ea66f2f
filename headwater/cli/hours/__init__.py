"""`headwater hours`."""
