"""`headwater openlineage`."""
