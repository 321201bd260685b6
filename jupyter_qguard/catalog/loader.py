"""Loads the vendor catalogue from its data files: all of it, or an error that names the file, line and key."""

from __future__ import annotations

import functools
import hashlib
import re
import typing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_qguard.catalog.check import problems
from jupyter_qguard.catalog.model import Rule, Vendor
from jupyter_qguard.errors import GuardFailureError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jupyter_qguard.catalog.document import Document

_SUFFIX = ".yaml"
_UNKNOWN_KEY = re.compile("Object contains unknown field `(.*)`")
_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[[^\]]*\]")


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every vendor and every rule, by id, in order of vendor id."""

    vendors: Mapping[str, Vendor]
    rules: Mapping[str, tuple[Vendor, Rule]]
    """Rule id to the rule and the vendor it belongs to."""


@functools.cache
def load_catalog() -> Catalog:
    """The catalogue that this package ships; read once per process.

    Raises
    ------
    GuardFailureError
        A data file is missing, unreadable or breaks a law of the catalogue; nothing may then be guarded with it.
    """
    return build_catalog(_vendor_files())


@functools.cache
def catalog_digest() -> str:
    """SHA-256, in hexadecimal, over names and contents of the data files: a key for whatever is compiled from them."""
    digest = hashlib.sha256()
    for name, content in _vendor_files():
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def vendor_ids() -> tuple[str, ...]:
    """The ids of all vendors, without parsing anything: a vendor's file bears its id."""
    return tuple(name.removesuffix(_SUFFIX) for name, _ in _vendor_files())


def build_catalog(files: Iterable[tuple[str, bytes]]) -> Catalog:
    """The catalogue of *files*, given as file name and content.

    Raises
    ------
    GuardFailureError
        As :func:`load_catalog`; the message names the file, the line and the key.
    """
    vendors: dict[str, Vendor] = {}
    rules: dict[str, tuple[Vendor, Rule]] = {}
    for name, content in files:
        vendor = read_vendor(name, content)
        if vendor.id in vendors:
            _fail(f"{name}: a second file for the vendor `{vendor.id}`")
        vendors[vendor.id] = vendor
        for rule in vendor.rules:
            if rule.id in rules:
                _fail(f"{name}: the rule id `{rule.id}` is taken by the vendor `{rules[rule.id][0].id}`")
            rules[rule.id] = vendor, rule
    if not vendors:
        _fail("the vendor catalogue is empty: the package is not installed whole")
    return Catalog(MappingProxyType(vendors), MappingProxyType(rules))


def read_vendor(name: str, content: bytes) -> Vendor:
    """The vendor that the file called *name* describes.

    Raises
    ------
    GuardFailureError
        The file is no YAML, has an unknown, missing, doubled or mistyped key, or breaks a law of the catalogue.
    """
    from jupyter_qguard.catalog.document import Document  # noqa: PLC0415 - what is kept is read without YAML

    document = Document(name, content)
    try:
        vendor = msgspec.convert(document.data, Vendor)
    except msgspec.ValidationError as error:
        raise GuardFailureError(_explain(document, str(error))) from None
    for problem in problems(vendor, name.removesuffix(_SUFFIX)):
        _fail(f"{name}:{document.line(problem.path)}: {problem.text}")
    return vendor


@functools.cache
def _vendor_files() -> tuple[tuple[str, bytes], ...]:
    folder = Path(__file__).with_name("vendors")
    try:
        files = sorted((entry.name, entry) for entry in folder.iterdir() if entry.name.endswith(_SUFFIX))
        return tuple((name, entry.read_bytes()) for name, entry in files)
    except OSError as error:
        message = f"the vendor catalogue cannot be read: {error.strerror}"
        raise GuardFailureError(message) from error


def _explain(document: Document, message: str) -> str:
    """The *message* of msgspec with file and line, and the allowed keys where one is unknown."""
    problem, _, path = message.partition(" - at `")
    path = path.removesuffix("`") or "$"
    unknown = _UNKNOWN_KEY.fullmatch(problem)
    if unknown:
        line = document.line(f"{path}.{unknown[1]}")
        allowed = ", ".join(sorted(field.name for field in msgspec.structs.fields(_record_at(path))))
        return f"{document.name}:{line}: unknown key `{unknown[1]}` at `{path}`; allowed: {allowed}"
    return f"{document.name}:{document.line(path)}: {problem} at `{path}`"


def _record_at(path: str) -> type[msgspec.Struct]:
    """The record type that stands at *path* of a vendor's file."""
    found: Any = Vendor
    for step in _STEP.finditer(path):
        found = typing.get_type_hints(found)[step[1]] if step[1] else typing.get_args(found)[0]
    return typing.cast("type[msgspec.Struct]", found)


def _fail(message: str) -> typing.NoReturn:
    raise GuardFailureError(message)
