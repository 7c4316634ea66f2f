"""The ledger: every offset accounted for."""
