"""Takes a notebook apart into located fragments: every string that can hold text, with what surrounds it.

The walk is generic: a string under a key nobody has heard of is a fragment too. Only payloads that are what their
media type says (images, fonts, archives) are left out.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping
from itertools import accumulate, repeat
from typing import Any

import msgspec

from jupyter_qguard.errors import InputError
from jupyter_qguard.scan.names import Role, role
from jupyter_qguard.scan.notebook import MAX_DEPTH
from jupyter_qguard.scan.payload import is_binary_payload

Path = tuple[str | int, ...]
MAX_LABEL = 64
MIN_KEY_LENGTH = 12
"""Object keys shorter than this are not scanned for secrets: no credential is so short and unlabelled."""


class Kind(enum.IntEnum):
    """What a fragment is, which decides how it is decoded and which action of the policy applies."""

    CODE = 0
    MARKDOWN = 1
    RAW = 2
    STREAM = 3
    ERROR = 4
    DATA = 5
    JSON = 6
    ATTACHMENT = 7
    METADATA = 8
    TEXT = 9


class Fragment(msgspec.Struct, frozen=True, gc=False):
    """One string of a document."""

    path: Path
    """Keys and indices from the cell (or, outside of cells, the notebook) to the string or list of lines."""
    text: str
    kind: Kind
    label: str = ""
    """What names this string: its key, its column, or the name beside it."""
    html: bool = False
    in_key: bool = False
    seams: tuple[int, ...] = ()
    """Where pieces of a list meet within a line. A reader sees one word there, and whoever wrote it meant two."""


class Unit(msgspec.Struct, frozen=True):
    """A cell, or all of a notebook that is outside of cells: what the scanner caches and scans as one."""

    path: Path
    index: int | None
    """Number of the cell in the notebook, None outside of cells."""
    id: str | None
    type: str
    fragments: tuple[Fragment, ...]
    allowed: tuple[str, ...] | None = None
    """Rule ids that the cell's tag or metadata suppresses; empty for all; None if it has none."""
    reason: str = ""


_SOURCE_KINDS = {"code": Kind.CODE, "markdown": Kind.MARKDOWN, "heading": Kind.MARKDOWN, "html": Kind.MARKDOWN}
_NAME_KEYS = ("name", "key", "label", "description", "title", "variable", "field", "parameter", "env", "header")
_VALUE_KEYS = frozenset(
    "value val default data content secret text currentvalue defaultvalue default_value stringvalue string_value".split()
)
_OWN_NAME = re.compile(r"(.*)(?:_v|V)alue\Z", re.DOTALL)
_NBFORMAT3_DATA = frozenset(
    ("text", "html", "svg", "latex", "javascript", "json", "png", "jpeg", "pdf"),
)
_HTML = re.compile(r"html|svg|xml")


def notebook_units(document: Mapping[str, Any]) -> list[Unit]:
    """The units of a checked notebook, cells first.

    Raises
    ------
    InputError
        Nested deeper than ``MAX_DEPTH``.
    """
    units: list[Unit] = []
    for path, cell in iter_cells(document):
        units.append(cell_unit(cell, path, len(units)))
    units.append(outer_unit(document))
    return units


def outer_unit(document: Mapping[str, Any]) -> Unit:
    """All of a notebook that is outside of its cells."""
    sheets = worksheets(document)
    apart = ("cells", "worksheets") if sheets else ("cells",)
    out: list[Fragment] = []
    _walk({key: value for key, value in document.items() if key not in apart}, (), Kind.METADATA, "", out, 0)
    for number, sheet in enumerate(sheets):
        outside = {key: value for key, value in sheet.items() if key != "cells"}
        _walk(outside, ("worksheets", number), Kind.METADATA, "", out, 0)
    return Unit((), None, None, "", tuple(out))


def iter_cells(document: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Every cell with its path, over all worksheets of nbformat 3. Cells beside worksheets are walked as well."""
    for number, cell in enumerate(document.get("cells") or ()):
        yield ("cells", number), cell
    for sheet_number, sheet in enumerate(worksheets(document)):
        for number, cell in enumerate(sheet.get("cells") or ()):
            yield ("worksheets", sheet_number, "cells", number), cell


def worksheets(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The sheets of nbformat 3; empty where the key holds something else, which is then walked as any other data."""
    sheets = document.get("worksheets")
    if not isinstance(sheets, list):
        return []
    well_formed = all(
        isinstance(sheet, Mapping)
        and isinstance(sheet.get("cells", []), list)
        and all(isinstance(cell, Mapping) for cell in sheet.get("cells", []))
        for sheet in sheets
    )
    return sheets if well_formed else []


def cell_unit(cell: Mapping[str, Any], path: Path, index: int) -> Unit:
    """Take one cell apart."""
    cell_type = cell.get("cell_type", "code")
    kind = _SOURCE_KINDS.get(cell_type, Kind.RAW) if isinstance(cell_type, str) else Kind.CODE
    out: list[Fragment] = []
    for key, value in cell.items():
        if key in ("source", "input"):
            _text(value, (key,), kind, "", out)
        elif key == "outputs" and isinstance(value, list):
            for number, output in enumerate(value):
                _output(output, ("outputs", number), out)
        elif key == "attachments" and isinstance(value, Mapping):
            for name, bundle in value.items():
                _key(name, ("attachments", name), Kind.ATTACHMENT, out)
                _bundle(bundle, ("attachments", name), Kind.ATTACHMENT, out)
        else:
            _walk(value, (key,), Kind.METADATA, key, out, 1)
    identifier = cell.get("id")
    allowed, reason = cell_suppression(cell.get("metadata"))
    return Unit(
        path,
        index,
        identifier if isinstance(identifier, str) and len(identifier) <= 64 else None,
        cell_type[:16] if isinstance(cell_type, str) else "",
        tuple(out),
        allowed,
        reason,
    )


def cell_suppression(metadata: object) -> tuple[tuple[str, ...] | None, str]:
    """What a cell's metadata suppresses: tag ``qguard-allow`` (all), or ``{"qguard": {"allow": [...], "reason": …}}``."""
    if not isinstance(metadata, Mapping):
        return None, ""
    own = metadata.get("qguard")
    if isinstance(own, Mapping) and isinstance(own.get("allow"), list):
        rules = tuple(str(rule) for rule in own["allow"])
        return (rules, str(own.get("reason", ""))) if rules else (None, "")
    tags = metadata.get("tags")
    if isinstance(tags, list) and "qguard-allow" in tags:
        return (), "cell tag qguard-allow"
    return None, ""


def _output(output: object, path: Path, out: list[Fragment]) -> None:
    if not isinstance(output, Mapping):
        _walk(output, path, Kind.DATA, "", out, 1)
        return
    kind = output.get("output_type", "")
    for key, value in output.items():
        inner = (*path, key)
        if key == "data" and isinstance(value, Mapping):
            _bundle(value, inner, Kind.DATA, out)
        elif key == "text":
            _text(value, inner, Kind.STREAM if kind == "stream" else Kind.DATA, "", out)
        elif key in ("evalue", "ename"):
            _text(value, inner, Kind.ERROR, "", out)
        elif key == "traceback" and isinstance(value, list):
            for number, line in enumerate(value):
                _walk(line, (*inner, number), Kind.ERROR, "", out, 1)
        elif key == "json" and _joined(value) is not None:
            _text(value, inner, Kind.DATA, "", out)
        elif key in _NBFORMAT3_DATA:
            _mime(f"image/{key}" if key in ("png", "jpeg", "pdf") else f"text/{key}", value, inner, Kind.DATA, out)
        else:
            _walk(value, inner, Kind.METADATA, key, out, 1)


def _bundle(bundle: object, path: Path, kind: Kind, out: list[Fragment]) -> None:
    if not isinstance(bundle, Mapping):
        _walk(bundle, path, kind, "", out, 1)
        return
    for mime, value in bundle.items():
        _mime(mime, value, (*path, mime), kind, out)


def _mime(mime: str, value: object, path: Path, kind: Kind, out: list[Fragment]) -> None:
    if "/" not in mime:
        _key(mime, path, kind, out)
    if mime.endswith("json") and not _is_lines(value):
        _walk(value, path, Kind.JSON, "", out, 1)
        return
    text = _joined(value)
    if text is None:
        _walk(value, path, Kind.JSON, "", out, 1)
    elif not is_binary_payload(mime, text):
        out.append(Fragment(path, text, kind, "", html=_HTML.search(mime) is not None, seams=_seams(value)))


def _text(value: object, path: Path, kind: Kind, label: str, out: list[Fragment]) -> None:
    text = _joined(value)
    if text is None:
        _walk(value, path, Kind.METADATA, label, out, 1)
    elif text:
        out.append(Fragment(path, text, kind, label, seams=_seams(value)))


def _is_lines(value: object) -> bool:
    if not isinstance(value, list) or len(value) < 2 or _joined(value) is None:
        return False
    return _line_ends(value) == len(value) - 1


def _joined(value: object) -> str | None:
    """The text of a string or list of lines, None if it is neither."""
    if isinstance(value, str):
        return value
    try:
        return "".join(value) if isinstance(value, list) else None
    except TypeError:
        return None


def _line_ends(lines: list[str]) -> int:
    """How many of *lines*, the last left out, end with a line end."""
    return sum(map(str.endswith, lines[:-1], repeat("\n")))


def _seams(value: object) -> tuple[int, ...]:
    """Where the items of a list meet that do not end with a line end."""
    if not isinstance(value, list) or _line_ends(value) >= len(value) - 1:
        return ()
    ends = accumulate(map(len, value))
    return tuple(end for item, end in zip(value[:-1], ends, strict=False) if item and item[-1] != "\n")


def _key(key: str, path: Path, kind: Kind, out: list[Fragment], label: str = "") -> None:
    if len(key) >= MIN_KEY_LENGTH:
        out.append(Fragment(path, key, kind, label, in_key=True))


def _walk(node: object, path: Path, kind: Kind, label: str, out: list[Fragment], depth: int) -> None:
    """Every string below *node*, with its label."""
    if isinstance(node, str):
        if node:
            out.append(Fragment(path, node, kind, label))
    elif isinstance(node, Mapping):
        _walk_object(node, path, kind, label, out, depth)
    elif isinstance(node, list | tuple):
        if depth > MAX_DEPTH:
            _too_deep()
        before = ""
        for number, item in enumerate(node):
            if isinstance(item, str):
                # ["--token", "…"] and ["X-Auth-Token", "…"]: an item may name the next one.
                if item:
                    out.append(Fragment((*path, number), item, kind, before or label))
                before = item if len(item) <= MAX_LABEL and role(item) is not Role.NONE else ""
            elif isinstance(item, (Mapping, list, tuple)):
                _walk(item, (*path, number), kind, label, out, depth + 1)


def _walk_object(node: Mapping[Any, Any], path: Path, kind: Kind, label: str, out: list[Fragment], depth: int) -> None:
    if depth > MAX_DEPTH:
        _too_deep()
    beside = _beside(node, label)
    columns = node.get("columns")
    for key, value in node.items():
        name = str(key)
        inner = (*path, name)
        _key(name, inner, kind, out, label)
        if isinstance(value, str):
            if value and not ("/" in name and is_binary_payload(name, value)):
                nameless = name.lower() in _VALUE_KEYS or name.isdigit()
                named = (beside or label or name) if nameless else _named_by_sibling(node, name)
                out.append(Fragment(inner, value, kind, named))
        elif name == "data" and isinstance(columns, list) and isinstance(value, list):
            _walk_table(value, columns, inner, kind, out, depth + 1)
        elif value is not None and not isinstance(value, (int, float)):
            # A bare container keeps the name it hangs under: {"token": ["…"]}.
            _walk(value, inner, kind, beside if name == "state" and beside else name, out, depth + 1)


def _beside(node: Mapping[Any, Any], label: str) -> str:
    """The name that stands beside a value: ``{"name": "IBM_TOKEN", "value": "…"}``, or a password widget's."""
    if label == "password" or "PasswordModel" in (node.get("_model_name"), node.get("model_name")):
        return "password"
    for key in _NAME_KEYS:
        name = node.get(key)
        if isinstance(name, str) and 0 < len(name) <= MAX_LABEL:
            return name
    return ""


def _named_by_sibling(node: Mapping[Any, Any], key: str) -> str:
    """The name of a value under *key*: what ``variable_name`` says where the key is ``variable_value``."""
    match = _OWN_NAME.match(key)
    for ending in ("_name", "Name") if match else ():
        name = node.get(match.group(1) + ending) if match else None
        if isinstance(name, str) and 0 < len(name) <= MAX_LABEL:
            return name
    return key


def _walk_table(rows: list[Any], columns: list[Any], path: Path, kind: Kind, out: list[Fragment], depth: int) -> None:
    """Rows of a table in pandas' *split* form: the column names its cells."""
    for number, row in enumerate(rows):
        if not isinstance(row, list):
            _walk(row, (*path, number), kind, "", out, depth)
            continue
        for column, value in enumerate(row):
            name = str(columns[column]) if column < len(columns) else ""
            _walk(value, (*path, number, column), kind, name, out, depth)


def _too_deep() -> None:
    message = f"malformed notebook: JSON nested deeper than {MAX_DEPTH} levels"
    raise InputError(message)


def pointer(path: Path) -> str:
    """RFC 6901 pointer of a path."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
