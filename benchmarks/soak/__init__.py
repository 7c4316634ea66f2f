"""What a year of commits and hours does to the cost of the next."""
