"""Table audits, freshness, SLIs and SLOs."""
