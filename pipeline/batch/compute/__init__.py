"""Computing one hour of a derived table from pinned inputs."""
