"""`headwater lineage`: which columns are made from which, and what a cell has of them."""
