"""Tests of a policy: what it must say of connections and saves, written down beside it and checked in CI. Pure.

What counts is what mode *enforce* does, so that the same expectations hold while a policy only observes.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from jupyter_qguard.errors import InputError
from jupyter_qguard.policy.decide import decide_save
from jupyter_qguard.policy.destination import Destination, parse_destination
from jupyter_qguard.policy.document import PolicyText
from jupyter_qguard.policy.egress import decide_egress
from jupyter_qguard.policy.model import Who
from jupyter_qguard.policy.record import ClassName, Name, Record, Text
from jupyter_qguard.policy.strict import read_record, refuse_all
from jupyter_qguard.scan.finding import Classification, Confidence, Finding, Place, ScanResult, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_qguard.policy.model import Policy
    from jupyter_qguard.policy.structure import Mismatch

PlaceName = Literal["source", "output", "metadata", "text_files"]


class ConnectionRecord(Record, frozen=True, kw_only=True):
    """What must become of a kernel's connection."""

    to: Annotated[Text, Meta(description="A URL, a host, or host:port.")]
    expect: Literal["allow", "refuse"]
    user: Annotated[Name, Meta(description="Who runs the kernel.")] | None = None
    groups: tuple[Name, ...] = ()
    because: Annotated[Text, Meta(description="Why it must be so; shown when it is not.")] | None = None


class SaveRecord(Record, frozen=True, kw_only=True):
    """What must become of a save in which something is found."""

    path: Annotated[Text, Meta(description="The file, as the server sees it.")]
    finding: Annotated[Name, Meta(description="A rule id, or a name under `classify`.")]
    place: Annotated[PlaceName, Meta(description="Without it: source in a notebook, else text_files.")] | None = None
    states: Annotated[ClassName, Meta(description="The class that the notebook states of itself.")] | None = None
    expect: Literal["block", "redact", "warn", "allow"]
    because: Annotated[Text, Meta(description="Why it must be so; shown when it is not.")] | None = None


class ExpectationsRecord(Record, frozen=True, kw_only=True):
    """A file of expectations."""

    apiVersion: Literal["qguard/v1"]  # noqa: N815 (as in a policy)
    today: Annotated[dt.date, Meta(description="The day to judge by; without it, today.")] | None = None
    connections: Annotated[tuple[ConnectionRecord, ...], Meta(max_length=5000)] = ()
    saves: Annotated[tuple[SaveRecord, ...], Meta(max_length=5000)] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether one expectation holds."""

    where: str
    """File and line of it."""
    what: str
    """The connection or save meant."""
    expected: str
    decided: str
    """What mode *enforce* does."""
    reason: str
    """Of the policy, for what it decided."""
    because: str = ""

    @property
    def holds(self) -> bool:
        """Whether the policy decides as expected."""
        return self.expected == self.decided


class Expectations:
    """A file of expectations, read."""

    def __init__(self, text: str, source: str) -> None:
        """Read *text*; *source* is what errors call the file.

        Raises
        ------
        InvalidPolicyError
            It is no file of expectations, or names what is no host.
        """
        self._document = PolicyText(text, source)
        self._record = read_record(self._document, ExpectationsRecord)
        self._destinations: list[Destination] = []
        refuse_all(self._document, list(self._unreadable()))

    def check(self, policy: Policy, today: dt.date) -> Iterator[Outcome]:
        """What *policy* decides, against what is expected; on *today*, unless the file names another day."""
        day = self._record.today or today
        for index, (wanted, to) in enumerate(zip(self._record.connections, self._destinations, strict=True)):
            person = Who(frozenset([wanted.user] if wanted.user else []), frozenset(wanted.groups))
            verdict = decide_egress(policy, to.host, to.port, today=day, person=person)
            what = f"a connection to {to.host} on port {to.port}{_by(wanted)}"
            where = self._where("connections", index)
            yield Outcome(where, what, wanted.expect, verdict.would.label, verdict.reason, wanted.because or "")
        for index, save in enumerate(self._record.saves):
            decided = decide_save(policy, _found(save, policy), today=day, path=save.path)
            what = f"a save of {save.path} with {save.finding} in {_place(save).value}"
            where = self._where("saves", index)
            yield Outcome(where, what, save.expect, decided.would.label, decided.reason, save.because or "")

    def _unreadable(self) -> Iterator[Mismatch]:
        if not self._record.connections and not self._record.saves:
            yield (), "nothing is expected: add `connections` or `saves`"
        for index, wanted in enumerate(self._record.connections):
            try:
                self._destinations.append(parse_destination(wanted.to))
            except InputError as error:
                yield ("connections", index, "to"), str(error)

    def _where(self, section: str, index: int) -> str:
        return f"{self._document.source}:{self._document.line((section, index))}"


def _by(wanted: ConnectionRecord) -> str:
    people = [f"by {wanted.user}"] if wanted.user else []
    people += [f"of {group}" for group in wanted.groups]
    return f" {' '.join(people)}" if people else ""


def _place(save: SaveRecord) -> Place:
    if save.place is not None:
        return Place(save.place)
    return Place.SOURCE if save.path.lower().endswith(".ipynb") else Place.TEXT_FILE


def _found(save: SaveRecord, policy: Policy) -> ScanResult:
    """What a scan would have to say for *save*."""
    finding = Finding(
        rule_id=save.finding,
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        classification=policy.classify.get(save.finding, Classification.RESTRICTED),
        vendor=None,
        fingerprint=save.finding,
        pointer="",
        spans=(),
        in_key=False,
        cell=None,
        place=_place(save),
        preview="",
        line=1,
        message=save.finding,
    )
    return ScanResult((finding,), stated=Classification[save.states.upper()] if save.states else None)
