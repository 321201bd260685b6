"""What a place is, and the list of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.credentials import Credential
from benchmarks.draft import Draft, Notebook

Build = Callable[[Draft], Notebook]


@dataclass(frozen=True, slots=True)
class Place:
    """One way in which a secret gets into a notebook."""

    name: str
    build: Build
    group: str
    needs: tuple[str, ...]
    """Fields of the credential without which the place makes no sense."""
    multiline: bool
    """Whether a value of several lines can stand here."""
    bare: bool
    """Nothing here says what the value is: nobody could tell, unless the value gives itself away."""
    whole: bool
    """Only for values that are one token, without an accepted smaller core."""

    def suits(self, credential: Credential) -> bool:
        """Whether the credential can stand here."""
        if credential.multiline and not self.multiline:
            return False
        if self.whole and "<<" in credential.value:
            return False
        return all(getattr(credential, need) for need in self.needs)

    def hard(self, credential: Credential) -> bool:
        """Whether nobody could tell that the value is a secret."""
        return self.bare and not credential.unique


PLACES: dict[str, Place] = {}


def place(
    name: str, *, needs: tuple[str, ...] = (), multiline: bool = False, bare: bool = False, whole: bool = False
) -> Callable[[Build], Build]:
    """Register a builder as a place."""

    def register(build: Build) -> Build:
        if name in PLACES:
            message = f"place {name} exists twice"
            raise ValueError(message)
        group = build.__module__.rpartition(".")[2]
        PLACES[name] = Place(name, build, group, needs, multiline, bare, whole)
        return build

    return register
