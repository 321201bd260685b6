"""What stands for a secret: its reference, its value while it is held, and the handle or mark in its place elsewhere."""

from __future__ import annotations

from jupyter_qguard.secret.handle import (
    HANDLE_IN_TEXT,
    MARK,
    HandleShape,
    check_characters,
    is_handle,
    is_mark,
    make_handle,
)
from jupyter_qguard.secret.reference import FORMS, OWN_SOURCES, SecretRef, SecretRefError
from jupyter_qguard.secret.value import SecretValue

__all__ = [
    "FORMS",
    "HANDLE_IN_TEXT",
    "MARK",
    "OWN_SOURCES",
    "HandleShape",
    "SecretRef",
    "SecretRefError",
    "SecretValue",
    "check_characters",
    "is_handle",
    "is_mark",
    "make_handle",
]
