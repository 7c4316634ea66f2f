"""What changed between two versions of a contract, part by part."""
