"""What starts runs without being asked."""
