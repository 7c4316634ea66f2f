"""How fast a filled topic becomes an Iceberg table, against peers, in one run: `make bench`."""
