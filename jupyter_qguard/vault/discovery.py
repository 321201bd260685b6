"""Finds vault sources by their entry points and makes the ones that are used. A source is imported only then."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, cast

from jupyter_qguard.secret import OWN_SOURCES
from jupyter_qguard.vault.errors import SourceUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyter_qguard.vault.source import SourceSettings, VaultSource

GROUP = "jupyter_qguard.sources"
_DISTRIBUTION = "jupyter-qguard"


def find_sources(found: Iterable[EntryPoint] | None = None) -> dict[str, EntryPoint]:
    """The sources installed here by name, imported as yet or not; *found* instead of what is installed, for tests.

    Raises
    ------
    SourceUnavailableError
        Two packages bring one name, or another package one of ours: nobody can say where a value would go.
    """
    sources: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP) if found is None else found:
        before = sources.get(entry.name)
        if entry.name in OWN_SOURCES and _package(entry) != _DISTRIBUTION:
            raise SourceUnavailableError(
                f"the package {_package(entry)} brings a vault source called `{entry.name}`, which is a name of the "
                "guard's own: remove that package"
            )
        if before is not None and _package(before) != _package(entry):
            raise SourceUnavailableError(
                f"the packages {_package(before)} and {_package(entry)} both bring a vault source called "
                f"`{entry.name}`: remove one of them"
            )
        sources[entry.name] = entry
    return sources


def make_source(settings: SourceSettings, sources: dict[str, EntryPoint]) -> VaultSource:
    """The source that *settings* name.

    Raises
    ------
    SourceUnavailableError
        There is none of that name, or it cannot be imported.
    """
    entry = sources.get(settings.name)
    if entry is None:
        known = ", ".join(sorted(sources)) or "none: jupyter-qguard must be installed anew"
        raise SourceUnavailableError(f"no vault source is called `{settings.name}`; installed here: {known}")
    try:
        return cast("VaultSource", entry.load()(settings))
    except (ImportError, AttributeError) as error:
        raise SourceUnavailableError(
            f"the vault source `{settings.name}` of {_package(entry)} cannot be imported ({type(error).__name__}): "
            "install that package anew"
        ) from None


def _package(entry: EntryPoint) -> str:
    return re.sub(r"[-_.]+", "-", entry.dist.name).lower() if entry.dist else "an unknown package"
