"""`headwater lineage` and `trace`: which columns are made from which, and what became of an event."""
