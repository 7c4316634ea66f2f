"""What commands of lineage print."""
