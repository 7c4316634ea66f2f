"""What each snapshot of a product's tables was made of, kept beyond the snapshot."""
