"""What a contract is held to beyond the shape of its parts."""
