"""Avro: records to bytes and back, in our own version of a schema or in another one."""
