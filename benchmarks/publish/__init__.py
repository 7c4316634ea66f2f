"""How long it takes to make an audited hour what readers see."""
