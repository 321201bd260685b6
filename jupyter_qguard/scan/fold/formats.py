"""The three ways of Python to put values into a text: ``%``, ``str.format`` and format specifications."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jupyter_qguard.scan.fold.constant import Constant, Kind, decoded, runs_of
from jupyter_qguard.scan.view import View, ViewBuilder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WIDTH_LIMIT = 1000
_PERCENT = re.compile(
    r"%(?:%|(?:\((?P<key>[^()]{1,200})\))?(?P<flags>[-#0 +]*)(?P<width>\d{1,4})?(?:\.(?P<precision>\d{1,4}))?[hlL]?"
    r"(?P<kind>[a-zA-Z])|(?P<bad>))"
)
_BRACES = re.compile(
    r"\{\{|\}\}|\{(?P<field>[^{}:!]{0,200})(?:!(?P<conversion>[rsa]))?(?::(?P<spec>[^{}]{0,100}))?\}|(?P<bad>[{}])"
)
_TEXT_SPEC = re.compile(
    r"(?:(?P<fill>.)?(?P<align>[<>^]))?(?P<zero>0)?(?P<width>\d{1,4})?(?:\.(?P<precision>\d{1,4}))?s?"
)
_NUMBER_SPEC = re.compile(r"(?:.?[<>=^])?[-+ ]?#?0?\d{0,4}[,_]?[bcdoxXn]?")


def percent(template: Constant, value: Constant) -> View | None:
    """As ``template % value``, None if a conversion is unknown or the values do not fit."""
    named = value.kind is Kind.MAPPING
    values = list(value.items) if value.kind is Kind.SEQUENCE else [value]
    text = template.text
    builder = ViewBuilder()
    done = used = 0
    for match in _PERCENT.finditer(text):
        builder.append_slice(template.view, done, match.start())
        done = match.end()
        if match.group() == "%%":
            builder.append_slice(template.view, done - 1, done)
            continue
        key = match.group("key")
        if match.group("bad") is not None or (key is None) is named:
            return None
        if key is None:
            item = values[used] if used < len(values) else None
            used += 1
        else:
            item = lookup(value, repr(key))
        part = _percent_item(match, item, template.kind)
        if part is None:
            return None
        builder.append_slice(part, 0, len(part.text))
    if not named and used != len(values):
        return None
    return builder.append_slice(template.view, done, len(text)).build()


def lookup(table: Constant, key: str) -> Constant | None:
    """The item of a mapping under a key as Python writes it; the last one wins."""
    for name, item in zip(reversed(table.keys), reversed(table.items), strict=True):
        if name == key:
            return item
    return None


def _percent_item(match: re.Match[str], item: Constant | None, kind: Kind) -> View | None:
    if item is None:
        return None
    conversion = match.group("kind")
    spec = (match.group("width") or "") + ("." + match.group("precision") if match.group("precision") else "")
    left = "-" in match.group("flags")
    if conversion in "sb" and item.kind in (kind, Kind.NUMBER):
        return pad(item.view, ("<" if left else ">") + spec if spec else "")
    if conversion in "dixXoc" and item.kind is Kind.NUMBER and int(match.group("width") or 0) <= _WIDTH_LIMIT:
        text = match.group() if match.group("key") is None else "%" + match.group()[len(match.group("key")) + 3 :]
        try:
            return decoded(text % int(item.text), runs_of(item.view))
        except (ValueError, OverflowError, TypeError):
            return None
    return None


def braces(template: Constant, values: Sequence[Constant | None], named: Mapping[str, Constant | None]) -> View | None:
    """As ``template.format(*values, **named)``, None if a field is unknown or asks for a member."""
    builder = ViewBuilder()
    done = used = 0
    for match in _BRACES.finditer(template.text):
        builder.append_slice(template.view, done, match.start())
        done = match.end()
        if match.group() in ("{{", "}}"):
            builder.append_slice(template.view, done - 1, done)
            continue
        if match.group("bad"):
            return None
        field = match.group("field")
        if field in ("", str(used)):
            field, used = str(used), used + 1
        number = int(field) if field.isdecimal() else -1
        item = (values[number] if number < len(values) else None) if number >= 0 else named.get(field)
        part = formatted(item, match.group("conversion") or "", match.group("spec") or "")
        if part is None:
            return None
        builder.append_slice(part, 0, len(part.text))
    return builder.append_slice(template.view, done, len(template.text)).build()


def formatted(item: Constant | None, conversion: str, spec: str) -> View | None:
    """As ``format(item, spec)`` after ``!conversion``; bytes have no form that is worth following."""
    if item is None or item.kind not in (Kind.TEXT, Kind.NUMBER):
        return None
    if conversion in ("r", "a") and item.kind is Kind.TEXT:
        plain = item.text.isascii() and repr(item.text) == f"'{item.text}'"
        if not plain:
            return None
        return pad(ViewBuilder().insert("'").append_slice(item.view, 0, len(item.text)).insert("'").build(), spec)
    if item.kind is Kind.TEXT or conversion or not spec:
        return pad(item.view, spec)
    width = re.search(r"\d+", spec)
    if not _NUMBER_SPEC.fullmatch(spec) or (width and int(width.group()) > _WIDTH_LIMIT):
        return None
    try:
        return decoded(format(int(item.text), spec), runs_of(item.view))
    except (ValueError, OverflowError):
        return None


def pad(view: View, spec: str) -> View | None:
    """As ``format(text, spec)``: cut to the precision, filled to the width; None if *spec* is not one of a text."""
    if not spec:
        return view
    match = _TEXT_SPEC.fullmatch(spec)
    if match is None:
        return None
    if match.group("precision"):
        view = view.slice(0, min(int(match.group("precision")), len(view.text)))
    missing = min(int(match.group("width") or 0), _WIDTH_LIMIT) - len(view.text)
    if missing <= 0:
        return view
    fill = match.group("fill") or ("0" if match.group("zero") else " ")
    before = {">": missing, "^": missing // 2}.get(match.group("align") or "<", 0)
    builder = ViewBuilder().insert(fill * before)
    return builder.append_slice(view, 0, len(view.text)).insert(fill * (missing - before)).build()
