"""The contract's Avro schemas: ``<namespace>/<Record>/v<N>.avsc``, never edited once published.

Each folder is one record; :mod:`streams.topics` derives the registry's subjects.
"""

from schemas.loading import Schema, examples, latest, names, versions

__all__ = ["Schema", "examples", "latest", "names", "versions"]
