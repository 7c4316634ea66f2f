"""`headwater config`: which settings there are, where each comes from, and what is wrong with them."""
