"""Decides which spots of a buffer are secrets, of which rule, and how sure that is. Each stage is a module of its own:
:mod:`noted`, :mod:`named`, :mod:`unnamed`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_qguard.scan.candidate import Candidate, Context
from jupyter_qguard.scan.named import NamedValues
from jupyter_qguard.scan.noted import Notes
from jupyter_qguard.scan.unnamed import UnnamedValues

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_qguard.scan.buffer import Buffer
    from jupyter_qguard.scan.ruleset import RuleSet
    from jupyter_qguard.scan.spot import Spots

__all__ = ["Candidate", "Context", "Judge"]


class Judge:
    """Judges one buffer of a document; what it learns of the document goes to the shared context."""

    def __init__(self, rules: RuleSet, buffer: Buffer, spots: Spots, context: Context) -> None:
        """Note the names and vendors that the buffer speaks of. Nothing is decided yet."""
        notes = Notes(rules, buffer, spots, context)
        self._named = NamedValues(rules, buffer, spots, context, notes)
        self._unnamed = UnnamedValues(rules, buffer, spots, context, notes)

    def candidates(self) -> Iterator[Candidate]:
        """All candidates, overlapping ones included. Calls tell which cells hold a credential, so they go before runs."""
        yield from self._unnamed.shaped()
        yield from self._named.candidates()
        yield from self._unnamed.in_urls()
        yield from self._unnamed.random()
