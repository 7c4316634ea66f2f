"""What settings there are, where they come from, what is wrong with them; secrets that are not shown."""
