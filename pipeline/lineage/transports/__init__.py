"""Ways to a collector, one a file. The file of a run is no way to one: see `Emitter`."""
