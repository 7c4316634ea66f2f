"""Recovery: tables that lie in a warehouse are registered again in a catalog that has lost them."""
