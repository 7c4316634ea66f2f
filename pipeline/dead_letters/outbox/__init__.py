"""What goes back to a topic: made, tried, claimed, sent and noted."""
