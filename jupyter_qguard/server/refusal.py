"""The one exception with which a write is refused, and all the words that clients get. Nothing here quotes a document."""

from __future__ import annotations

import enum
from http import HTTPStatus

from jupyter_qguard.scan.finding import Finding, Place

NOTHING_LOST = "Nothing was written and nothing is lost."
_MEGABYTE = 1 << 20
_PLACES = {Place.SOURCE: "source", Place.OUTPUT: "output", Place.METADATA: "metadata", Place.TEXT_FILE: "text"}


class WritePath(enum.Enum):
    """By which way content would reach the disk. The value completes the sentence ``PATH was not …``."""

    SAVE = "saved"
    UPLOAD = "uploaded"
    CHECKPOINT = "copied into a checkpoint"
    RESTORE = "restored"
    COPY = "copied"
    RENAME = "renamed"


class RefusedError(Exception):
    """A write must not happen. Carries what the client is told."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        """*message* goes to the client and into the server's log."""
        super().__init__(message)
        self.status = status
        self.message = message


def blocked(path: str, way: WritePath, reason: str, identifier: str) -> RefusedError:
    """The refusal of a document that holds secrets. *reason* is the verdict's: what, where, how to fix it."""
    text = (
        f"{path} was not {way.value}: {reason} If it is no secret, mark it so with '# qguard: allow[RULE] reason'; "
        f"if it must be, give a reason and save anyway. [qg:{identifier}]"
    )
    return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, text)


def not_redactable(path: str, way: WritePath, reason: str) -> RefusedError:
    """The refusal of content that the policy would redact, on a way on which that cannot be done."""
    text = f"{path} was not {way.value}: {reason} {NOTHING_LOST}"
    return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, text)


def class_kept(path: str, way: WritePath, reason: str) -> RefusedError:
    """The refusal of a notebook that states a lower class than before. *reason* is the verdict's."""
    text = (
        f"{path} was not {way.value}: {reason} Write it into the notebook's metadata as qguard.reason, not the one of "
        f"an earlier change, and save again. {NOTHING_LOST}"
    )
    return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, text)


def must_be_saved_first(path: str, way: WritePath) -> RefusedError:
    """The refusal of stored content that the policy would redact, where only a copy could be made."""
    return not_redactable(path, way, "it holds what the policy redacts. Open it and save it first.")


def bad_name(shown: str, way: WritePath) -> RefusedError:
    """The refusal of a name that holds a secret. *shown* is the name without it."""
    text = (
        f"{shown} was not {way.value}: the name of the file or folder holds a secret, and names stand in listings and "
        f"logs. Choose another name. {NOTHING_LOST}"
    )
    return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, text)


def unreadable(path: str, way: WritePath, reason: str) -> RefusedError:
    """The refusal of what cannot be read, so cannot be scanned."""
    return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{path} was not {way.value}: {reason}. {NOTHING_LOST}")


def too_large(path: str, way: WritePath, size: int, limit: int) -> RefusedError:
    """The refusal of what is too large to scan."""
    text = (
        f"{path} was not {way.value}: it has {size // _MEGABYTE} MB, and up to {limit // _MEGABYTE} MB are scanned "
        f"(QGuardApp.scan_limit). {NOTHING_LOST}"
    )
    return RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)


def guard_failed(path: str, way: WritePath, kind: str) -> RefusedError:
    """The refusal because the guard itself failed."""
    text = (
        f"{path} was not {way.value}: it could not be checked ({kind}). {NOTHING_LOST} Try again; if it stays so, "
        "tell whoever runs this server."
    )
    return RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, text)


def told(path: str, reason: str, identifier: str) -> str:
    """What the client is told about a write that went through with findings."""
    return f"{path}: {reason} [qg:{identifier}]"


def place_of(finding: Finding) -> str:
    """Where a finding is, in words. Cells count from 1, as people do."""
    if finding.cell is not None:
        return f"cell {finding.cell.index + 1}, {_PLACES[finding.place]}, line {finding.line}"
    return f"line {finding.line}" if finding.place is Place.TEXT_FILE else "notebook metadata"
