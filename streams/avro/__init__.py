"""Avro: encodes records to bytes and decodes them, in our own version of a schema or another one."""
