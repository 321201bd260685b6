"""Replaces what was found: documents and text in, redacted copies out. Pure."""

from jupyter_qguard.redact.document import redact_notebook
from jupyter_qguard.redact.text import redact_text

__all__ = ["redact_notebook", "redact_text"]
