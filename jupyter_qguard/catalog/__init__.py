"""The vendor catalogue: which credentials quantum vendors hand out, what gives them away, and where they go.

Data, and the code that reads it strictly; no input from a user ever enters here.
"""

from __future__ import annotations

from jupyter_qguard.catalog.loader import Catalog, build_catalog, catalog_digest, load_catalog, vendor_ids
from jupyter_qguard.catalog.model import Basis, Call, Header, Rule, Vendor

__all__ = [
    "Basis",
    "Call",
    "Catalog",
    "Header",
    "Rule",
    "Vendor",
    "build_catalog",
    "catalog_digest",
    "load_catalog",
    "vendor_ids",
]
