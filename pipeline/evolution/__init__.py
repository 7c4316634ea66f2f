"""Tables follow contracts: what a contract asks of the tables that exist, and carrying it out."""
