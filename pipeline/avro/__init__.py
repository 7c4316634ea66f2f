"""Avro binary into Arrow columns: schemas compiled to programs, programs run over whole batches."""
