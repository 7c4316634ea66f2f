"""The texts of contracts: YAML and JSON that know the line of everything in them."""
