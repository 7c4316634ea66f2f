"""What `headwater dead-letters` prints."""
