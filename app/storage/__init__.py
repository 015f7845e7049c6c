"""Storage. Whatever of it is imported, the tables come first."""

from app.lean import without_sources

with without_sources():
    from app.storage import tables as tables
