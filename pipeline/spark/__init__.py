"""The Spark session of a cell, in this process or on a server."""
