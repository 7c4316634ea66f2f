"""How much of what tables have can be told where it came from: the SLI of lineage."""
