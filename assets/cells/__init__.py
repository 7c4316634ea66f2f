"""One module a code location: a cell each."""
