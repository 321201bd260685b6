"""How a policy names a secret: where the value lies, never the value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_qguard.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_PATH = rf"{_PART}(?:/{_PART})*"
_MOUNTED = rf"(?P<path>{_PART}(?:/{_PART})+)#(?P<field>{_PART})"
_FORMS = {
    "local": re.compile(rf"(?P<path>{_PATH})"),
    "keyring": re.compile(rf"(?P<path>{_PART}/{_PATH})"),
    "openbao": re.compile(_MOUNTED),
    "vault": re.compile(_MOUNTED),
    "aws": re.compile(rf"(?P<path>{_PATH})#(?P<field>{_PART})"),
}
OWN_SOURCES = frozenset(_FORMS)
"""Names of the sources that come with the guard."""
_OTHER = re.compile(rf"(?P<path>{_PATH})(?:#(?P<field>{_PART}))?")
FORMS = "local://NAME, keyring://SERVICE/NAME, openbao://MOUNT/PATH#FIELD, vault://MOUNT/PATH#FIELD, aws://NAME#FIELD"
"""The forms of references there are, for messages."""


class SecretRefError(UsageError):
    """What should be a reference is none, or of a source that is not there."""

    code = "secret_reference"


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret lies, never what it is."""

    source: str
    """Name of the vault source, as ``openbao``."""
    path: str
    """What the source calls it."""
    field: str = ""
    """Which of its fields; empty for all there are."""

    @classmethod
    def parse(cls, text: str, others: Collection[str] = ()) -> SecretRef:
        """The reference that *text* spells; *others* are the names of sources of third parties.

        Raises
        ------
        SecretRefError
            It is none. What was written is not repeated: people put values where references belong.
        """
        source, _, rest = text.partition("://")
        form = _FORMS.get(source) or (_OTHER if source in others else None)
        found = form.fullmatch(rest) if form else None
        if found is None:
            raise SecretRefError(f"not a secret reference, and the value itself never stands here; forms: {FORMS}")
        named = found.groupdict()
        return cls(source, named["path"], named.get("field") or "")

    @property
    def place(self) -> str:
        """The reference without a field: what is read at once."""
        return f"{self.source}://{self.path}"

    def __str__(self) -> str:
        return f"{self.place}#{self.field}" if self.field else self.place
