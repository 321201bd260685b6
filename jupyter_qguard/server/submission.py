"""What someone asks the server to write, read once out of a contents model: the guard and the disk see the same."""

from __future__ import annotations

import binascii
import enum
from base64 import encodebytes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_qguard.errors import InputError
from jupyter_qguard.scan.binary import is_binary
from jupyter_qguard.scan.notebook import check_notebook
from jupyter_qguard.server.prepared import Prepared, prepare_bytes, prepare_notebook
from jupyter_qguard.server.statement import Statement, statement_in, statement_of


class Form(enum.Enum):
    """How the content came, and so how it must be handed on."""

    NOTEBOOK = "json"
    TEXT = "text"
    BASE64 = "base64"


@dataclass(frozen=True, slots=True)
class Submission:
    """Content that is to be written at a path. Exactly one of *document* and *data* is there."""

    path: str
    """API path, without leading or trailing slashes."""
    form: Form
    document: Mapping[str, Any] | None = None
    data: bytes | None = None

    @property
    def name(self) -> str:
        """The file's name; its ending says how bytes are read."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def is_notebook(self) -> bool:
        """Whether what will lie on the disk is a notebook."""
        return self.document is not None or self.name.lower().endswith(".ipynb")

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing in it: new files start so, notebooks' too."""
        return self.data is not None and not self.data.strip()

    @property
    def is_binary(self) -> bool:
        """Whether what will lie on the disk is no text. Never what came as text, and no notebook."""
        return self.form is Form.BASE64 and not self.is_notebook and is_binary(self.data or b"")

    def prepared(self, before: Sequence[bytes] = ()) -> Prepared:
        """For a worker; *before* are the parts that one knows of the same notebook. Raises InputError."""
        if self.document is not None:
            return prepare_notebook(self.document, self.name, before)
        return prepare_bytes(self.data or b"", self.name)

    def statement(self) -> Statement:
        """What the notebook states of itself."""
        if self.document is not None:
            return statement_in(self.document.get("metadata"))
        return statement_of(self.data or b"")

    def content(self) -> Any:
        """The value for ``content`` of a model of this form. Bytes are encoded anew, so that no lenient decoder of a
        contents manager can read something else out of them than what was scanned."""
        if self.document is not None:
            return self.document
        data = self.data or b""
        return data.decode("utf-8") if self.form is Form.TEXT else encodebytes(data).decode("ascii")


def read_submission(model: object, path: str) -> Submission | None:
    """Read what a model asks to write.

    Returns
    -------
    Submission | None
        None where nothing is written that could hold text: a folder, or a model without content or format, which
        every contents manager refuses itself.

    Raises
    ------
    InputError
        The content is not of the type that the model says.
    """
    if not isinstance(model, Mapping):
        message = "the request is no object"
        raise InputError(message)
    path = path.strip("/")
    kind = model.get("type")
    if kind == "directory" or "content" not in model:
        return None
    content = model["content"]
    if isinstance(content, Mapping) and kind in ("notebook", None):
        check_notebook(content)
        return Submission(path, Form.NOTEBOOK, document=content)
    if kind == "notebook":
        message = f"a notebook's content must be an object, not {_named(content)}"
        raise InputError(message)
    if not isinstance(content, str):
        message = f"a file's content must be a string, not {_named(content)}"
        raise InputError(message)
    return _read_string(content, model.get("format"), path)


def _read_string(content: str, form: object, path: str) -> Submission:
    if form == "base64":
        try:
            # The lenient decoding that contents managers do: what they would write is what is scanned.
            return Submission(path, Form.BASE64, data=binascii.a2b_base64(content.encode("ascii")))
        except (ValueError, binascii.Error):
            message = "the content is not base64"
            raise InputError(message) from None
    try:
        return Submission(path, Form.TEXT, data=content.encode("utf-8"))
    except UnicodeEncodeError:
        message = "the text holds half of a surrogate pair, which cannot be stored"
        raise InputError(message) from None


def _named(value: object) -> str:
    names = {type(None): "null", bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "something else")
