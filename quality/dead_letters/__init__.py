"""What is said of dead letters to those who look after a product: no value of any record."""
