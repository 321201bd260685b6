"""The JSON Schema of the policy file, for editors and for other programs. Made from the records the parser uses."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from jupyter_qguard.policy.record import PolicyRecord

_NULL = {"type": "null"}


def policy_schema() -> dict[str, Any]:
    """The schema, JSON Schema 2020-12: what may stand where. The parser checks hosts, references and more."""
    (root,), definitions = msgspec.json.schema_components([PolicyRecord], ref_template="#/$defs/{name}")
    top = definitions.pop(root["$ref"].rpartition("/")[2])
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:jupyter-qguard:policy:v1",
        **top,
        "title": "jupyter-qguard policy",
        "$defs": dict(sorted(definitions.items())),
    }
    return {str(name): _without_null(part) for name, part in schema.items()}


def schema_text() -> str:
    """:func:`policy_schema` as the text of the committed file."""
    return json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n"


def _is_object(name: str, item: Any) -> bool:
    """Whether *item* is the default of a whole section: each of its keys states its own."""
    return name == "default" and isinstance(item, dict)


def _without_null(part: Any) -> Any:
    """*part* where an absent key is absent: the parser refuses a key without a value."""
    if isinstance(part, list):
        return [_without_null(item) for item in part]
    if not isinstance(part, dict):
        return part
    result = {
        name: _without_null(item) for name, item in part.items() if name != "title" and not _is_object(name, item)
    }
    choices = result.get("anyOf", [])
    if _NULL in choices:
        left = [choice for choice in choices if choice != _NULL]
        rest = {name: item for name, item in result.items() if name not in ("anyOf", "default")}
        return {**left[0], **rest} if len(left) == 1 else {**rest, "anyOf": left}
    return result
