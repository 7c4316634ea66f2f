"""How fast a year of hours is built, against Spark SQL in one job and dbt: `make bench-backfill`."""
