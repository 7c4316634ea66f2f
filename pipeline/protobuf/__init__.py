"""Protocol Buffers: schemas, framing, and messages as columns of an Avro record."""
