"""The places of a notebook in which the grid plants secrets. Importing this package registers them all."""

from __future__ import annotations

from benchmarks.places import (
    code,
    encodings,
    errors,
    files,
    legacy,
    markdown,
    metadata,
    mimes,
    printed,
    splits,
    tables,
    wild,
)
from benchmarks.places.registry import PLACES, Place

__all__ = [
    "PLACES",
    "Place",
    "code",
    "encodings",
    "errors",
    "files",
    "legacy",
    "markdown",
    "metadata",
    "mimes",
    "printed",
    "splits",
    "tables",
    "wild",
]
