"""How long it takes to register a schema over HTTP while many do."""
