"""Holds a parsed policy file against the records that describe it, and finds everything that is wrong at once.

msgspec would stop at the first mismatch and speak of JSON types; here each mismatch is a sentence, and an unknown key
or word comes with what is allowed in its place. Values are only ever echoed where a closed list of words is expected.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from typing import TYPE_CHECKING, Any

from msgspec import inspect

from jupyter_qguard.policy.document import dotted, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_qguard.policy.document import Path

Mismatch = tuple["Path", str]
"""Where, and what is wrong there."""

_MAX_ECHOED = 20
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def mismatches(value: Any, kind: inspect.Type, path: Path = ()) -> Iterator[Mismatch]:
    """Everything in which *value* differs from *kind*, in the order of the file."""
    if isinstance(kind, inspect.Metadata):
        kind = kind.type
    if value is None:
        yield path, "there is no value: fill it in or delete the line"
    elif isinstance(kind, inspect.UnionType):
        yield from mismatches(value, _alternative(value, kind), path)
    elif isinstance(kind, inspect.StructType):
        yield from _in_mapping(value, kind, path)
    elif isinstance(kind, inspect.DictType):
        yield from _in_table(value, kind, path)
    elif isinstance(kind, inspect.VarTupleType):
        yield from _in_list(value, kind, path)
    else:
        problem = _in_scalar(value, kind)
        if problem:
            yield path, problem


def _alternative(value: Any, kind: inspect.UnionType) -> inspect.Type:
    """The member of a union that *value* was most likely meant for."""
    members = [member for member in kind.types if not isinstance(member, inspect.NoneType)]
    if isinstance(value, dict):
        return next((member for member in members if isinstance(member, inspect.StructType)), members[0])
    return members[0]


def _in_mapping(value: Any, kind: inspect.StructType, path: Path) -> Iterator[Mismatch]:
    fields = {field.encode_name: field for field in kind.fields}
    if not isinstance(value, dict):
        yield path, f"keys are expected here: {', '.join(fields)}"
        return
    for name, item in value.items():
        if name in fields:
            yield from mismatches(item, fields[name].type, (*path, name))
        else:
            yield (*path, name), _unknown_key(name, path, list(fields))
    missing = [name for name, field in fields.items() if field.required and name not in value]
    if missing:
        yield path, f"missing: {', '.join(f'`{name}`' for name in missing)}"


def _unknown_key(name: str, path: Path, allowed: list[str]) -> str:
    where = f"in `{dotted(path)}`" if path else "at the top of the file"
    return f"unknown key `{shown(name)}` {where}; {_allowed(name, allowed)}"


def _in_table(value: Any, kind: inspect.DictType, path: Path) -> Iterator[Mismatch]:
    if not isinstance(value, dict):
        yield path, "names with values are expected here"
        return
    for name, item in value.items():
        problem = _in_scalar(name, kind.key_type)
        if problem:
            yield (*path, name), problem
        else:
            yield from mismatches(item, kind.value_type, (*path, name))


def _in_list(value: Any, kind: inspect.VarTupleType, path: Path) -> Iterator[Mismatch]:
    if not isinstance(value, list):
        yield path, "a list is expected here: put it in [ ]"
        return
    if len(value) < (kind.min_length or 0):
        yield path, "at least one entry is needed"
    if kind.max_length is not None and len(value) > kind.max_length:
        yield path, f"more than {kind.max_length} entries"
        return
    for index, item in enumerate(value):
        yield from mismatches(item, kind.item_type, (*path, index))


def _in_scalar(value: Any, kind: inspect.Type) -> str:
    """What is wrong with a single value; empty if nothing is."""
    if isinstance(kind, inspect.EnumType):
        return _in_words(value, [str(member.value) for member in kind.cls])
    if isinstance(kind, inspect.LiteralType):
        return _in_words(value, [str(word) for word in kind.values])
    if isinstance(kind, inspect.StrType):
        return _in_text(value, kind)
    if isinstance(kind, inspect.IntType):
        return _in_number(value, kind)
    if isinstance(kind, inspect.BoolType):
        return "" if isinstance(value, bool) else "true or false is expected here"
    if isinstance(kind, inspect.DateType):
        return _in_date(value)
    message = f"no check for {type(kind).__name__}"
    raise TypeError(message)


def _in_words(value: Any, allowed: list[str]) -> str:
    if value in allowed and isinstance(value, str):
        return ""
    known = isinstance(value, str) and len(value) <= _MAX_ECHOED
    return f"`{shown(value)}` is not one of the values; {_allowed(value, allowed)}" if known else _allowed("", allowed)


def _in_text(value: Any, kind: inspect.StrType) -> str:
    if not isinstance(value, str):
        return "text is expected here: put it in quotes"
    if len(value) < (kind.min_length or 0):
        return "the text is empty"
    if kind.max_length is not None and len(value) > kind.max_length:
        return f"the text is longer than {kind.max_length} characters"
    if kind.pattern is not None and not re.fullmatch(kind.pattern, value):
        return f"the text must match {kind.pattern}"
    if not value.isprintable():
        return "the text has a line break or another character that cannot be shown"
    return ""


def _in_number(value: Any, kind: inspect.IntType) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        return "a whole number is expected here"
    low, high = kind.ge, kind.le
    if (low is not None and value < low) or (high is not None and value > high):
        return f"the number must be from {low} to {high}"
    return ""


def _in_date(value: Any) -> str:
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            dt.date.fromisoformat(value)
        except ValueError:
            return "there is no such day"
        return ""
    return "a date is expected here, as 2027-01-31"


def _allowed(word: str, allowed: list[str]) -> str:
    close = difflib.get_close_matches(word, allowed, n=1)
    hint = f"; did you mean `{close[0]}`?" if close else ""
    return f"allowed: {', '.join(allowed)}{hint}"
