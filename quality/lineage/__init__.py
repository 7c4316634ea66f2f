"""A product's lineage as a page: tables, columns, the states of an event, and what a cell has of them."""
