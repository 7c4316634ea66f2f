"""What SQL of an hour says of the hours of a range, and an audit's queries of all of them. Pure functions."""
