"""Names and what they are bound to, by scope: a cell, a branch of it, a function."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from jupyter_qguard.scan.fold.constant import NOTHING, Constant, Kind

if TYPE_CHECKING:
    from jupyter_qguard.scan.fold.constant import Names

_ROOT = re.compile(r"[^.\[(]+")
_MEMBERS = 256
"""Members of one object that are followed."""
_SEQUENCE_EXPORT = 8
"""Number lists from this length on may be character codes of a secret, and are kept for later cells."""


class Scope:
    """Bindings on top of those of an enclosing scope. Full names of members are keys of their own."""

    def __init__(self, names: Names, parent: Scope | None = None) -> None:
        """Start from *names*, or from *parent* if there is one."""
        self._names = names
        self._parent = parent
        self.changes: dict[str, Constant | None] = {}

    def child(self) -> Scope:
        """A scope in which bindings stay until they are merged."""
        return Scope(self._names, self)

    def lookup(self, name: str) -> Constant | None:
        """What *name* is bound to, None if that is not known."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.changes:
                return scope.changes[name]
            scope = scope._parent  # noqa: SLF001 - same class
        return self._names.get(name)

    def bind(self, name: str, value: Constant | None) -> None:
        """Bind *name*, None if its value is not constant. Members of what it was bound to before are forgotten."""
        self._forget_members(name)
        root = root_of(name)
        if root != name and value is not None and not self._enter_member(root, name):
            value = None
        if value is not None or self.lookup(name) is not None:
            self.changes[name] = value

    def _enter_member(self, root: str, name: str) -> bool:
        """Note that the object *root* has the member *name*; False if it is none or has too many."""
        known = self.lookup(root)
        if known is not None and known.kind is not Kind.OBJECT:
            return False
        members = known.keys if known is not None else ()
        if name not in members:
            if len(members) >= _MEMBERS:
                return False
            self.changes[root] = Constant(NOTHING, Kind.OBJECT, (), (*members, name))
        return True

    def members(self, name: str) -> dict[str, Constant]:
        """Known members of the object *name*, by what follows its name."""
        root = self.lookup(root_of(name))
        if root is None or root.kind is not Kind.OBJECT:
            return {}
        found = {key[len(name) :]: self.lookup(key) for key in root.keys if _belongs(key, name)}
        return {key: value for key, value in found.items() if value is not None}

    def _forget_members(self, name: str) -> None:
        root = self.lookup(root_of(name))
        if root is None or root.kind is not Kind.OBJECT:
            return
        for key in root.keys:
            if _belongs(key, name) and self.lookup(key) is not None:
                self.changes[key] = None

    def merge(self, *branches: Scope) -> None:
        """Take over what branches of the control flow bound.

        A name may have any of the values afterwards; the longest constant is kept, since a secret that may flow
        somewhere is one that the notebook holds.
        """
        for name in {name: None for branch in branches for name in branch.changes}:
            before = self.lookup(name)
            values = [branch.changes.get(name, before) for branch in branches]
            best: Constant | None = None
            for value in values:
                if value is not None and (best is None or _weight(value) > _weight(best)):
                    best = value
            if best is not None and best.kind is Kind.OBJECT:
                best = _united([value for value in values if value is not None and value.kind is Kind.OBJECT])
            if best is not None or before is not None:
                self.changes[name] = best

    def export(self, budget: int) -> dict[str, Constant | None]:
        """What later cells may need, of at most *budget* characters and pieces: names never outgrow the notebook."""
        exported: dict[str, Constant | None] = {}
        for name, value in self.changes.items():
            if value is not None and value.kind is Kind.OBJECT:
                continue
            cost = _size(value, set()) if value is not None and _worth_keeping(value) else budget + 1
            if cost <= budget:
                budget -= cost
                exported[name] = value
            elif name in self._names:
                exported[name] = None
        for name, value in self.changes.items():
            if value is not None and value.kind is Kind.OBJECT:
                members = tuple(key for key in value.keys if exported.get(key) is not None or key in self._names)
                exported[name] = replace(value, keys=members) if members else None
        return {name: value for name, value in exported.items() if value is not None or name in self._names}


def root_of(name: str) -> str:
    """The variable that a full name starts with."""
    match = _ROOT.match(name)
    return match.group() if match else name


def _belongs(key: str, name: str) -> bool:
    return key.startswith(name) and key[len(name) : len(name) + 1] in (".", "[", "(")


def _weight(value: Constant) -> int:
    return len(value.text) + sum(_weight_of_item(item) for item in value.items[:64]) + len(value.keys)


def _weight_of_item(item: Constant | None) -> int:
    return len(item.text) if item is not None else 0


def _united(objects: list[Constant]) -> Constant:
    keys = {key: None for item in objects for key in item.keys}
    return Constant(NOTHING, Kind.OBJECT, (), tuple(keys)[:_MEMBERS])


def _worth_keeping(value: Constant) -> bool:
    """Strings, and containers of them. Numbers would make almost every name a known one."""
    if value.is_string:
        return bool(value.text)
    if any(item is not None and _worth_keeping(item) for item in value.items):
        return True
    codes = all(item is not None and item.kind is Kind.NUMBER for item in value.items)
    return value.kind is Kind.SEQUENCE and codes and len(value.items) >= _SEQUENCE_EXPORT


def _size(value: Constant, seen: set[int]) -> int:
    """Characters, pieces and items of a constant, shared ones counted once."""
    if id(value) in seen:
        return 0
    seen.add(id(value))
    items = [item for item in value.items if item is not None]
    own = len(value.text) + 4 * len(value.view.pieces) + 4 * len(value.items) + sum(map(len, value.keys))
    return own + sum(_size(item, seen) for item in items)
