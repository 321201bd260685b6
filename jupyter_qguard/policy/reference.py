"""How a policy names a secret: where the value lies, never the value."""

from __future__ import annotations

import re

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_PATH = rf"{_PART}(?:/{_PART})*"
_MOUNTED = rf"{_PART}(?:/{_PART})+#{_PART}"
_BY_SOURCE = {
    "local": re.compile(_PATH),
    "keyring": re.compile(rf"{_PART}/{_PATH}"),
    "openbao": re.compile(_MOUNTED),
    "vault": re.compile(_MOUNTED),
    "aws": re.compile(rf"{_PATH}#{_PART}"),
}
FORMS = "local://NAME, keyring://SERVICE/NAME, openbao://MOUNT/PATH#FIELD, vault://MOUNT/PATH#FIELD, aws://NAME#FIELD"
"""The forms there are, for messages."""


def is_reference(text: str) -> bool:
    """Whether *text* has one of the :data:`FORMS`."""
    source, _, rest = text.partition("://")
    form = _BY_SOURCE.get(source)
    return form is not None and form.fullmatch(rest) is not None
