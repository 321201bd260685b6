"""The credentials that the grid plants: facts about vendors and clouds, kept apart from the project's own catalogue."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Credential(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One kind of credential and what stands around it in real notebooks."""

    id: str
    """``vendor/kind``."""
    title: str
    """How people call the service in prose."""
    value: str
    """Template of the value, see :mod:`benchmarks.values`; ``<<…>>`` is the part that must go at the least."""
    unique: bool = False
    """The value gives itself away: no context is needed to see that it is a secret."""
    multiline: bool = False
    setup: str
    """Import cell."""
    call: str
    """Call with the credential as a named argument ``$V``."""
    positional: str = ""
    positional_setup: str = ""
    env: tuple[str, ...] = ()
    name: str
    """Variable name."""
    field: str
    """Key in configuration files and JSON."""
    section: str
    header: str = ""
    url: str = ""
    query: str = ""
    repr: str
    """How an object that holds it prints."""

    @property
    def vendor(self) -> str:
        """The part of the id before the slash."""
        return self.id.partition("/")[0]


def load_credentials() -> tuple[Credential, ...]:
    """All credentials, in the order of the files."""
    found: list[Credential] = []
    for path in sorted(Path(__file__).parent.glob("*.yaml")):
        found += msgspec.yaml.decode(path.read_bytes(), type=list[Credential])
    ids = [credential.id for credential in found]
    if len(set(ids)) != len(ids):
        message = "two credentials of the grid have the same id"
        raise ValueError(message)
    return tuple(found)
