"""Values of files, as the types that a contract gives them: converted exactly, or refused."""
