"""The contract's Avro schemas: ``<namespace>/<Record>/v<N>.avsc``, never edited once published.

A folder is one record; the registry's subjects are made of it by :mod:`streams.topics`.
"""

from schemas.loading import Schema, examples, latest, names, versions

__all__ = ["Schema", "examples", "latest", "names", "versions"]
