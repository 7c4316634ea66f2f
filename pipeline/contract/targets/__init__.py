"""What a contract compiles to, one target a file."""
