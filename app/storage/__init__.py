"""Storage. Whatever of it is imported, the tables come first."""

from app.lean import without, without_sources

# Tortoise would import pydantic, where that is installed, to make models of it of query results.
with without("pydantic"), without_sources():
    from app.storage import tables as tables
