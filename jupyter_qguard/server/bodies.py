"""The bodies of the REST interface, read strictly: an unknown key or a wrong type is an error that names it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

MAX_REASON = 2000


class OverrideBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST overrides``."""

    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
    """Of the refused write."""
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_REASON)]
    proof: Annotated[str, msgspec.Meta(max_length=4096)] | None = None
    """The server's token or password: a fresh proof of the person, where a floor policy asks for one."""


class ScanBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST scan``: content that is in an editor."""

    type: Annotated[str, msgspec.Meta(pattern="^(notebook|text)$")]
    content: dict[str, Any] | str
    path: Annotated[str, msgspec.Meta(max_length=4096)] = ""
    """API path of the document, for exceptions and overrides that are bound to one."""
