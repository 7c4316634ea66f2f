"""What a user starts: the command line, the local stack and the demo."""
