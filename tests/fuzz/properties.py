"""What must hold for every input. Each check draws one input and raises :class:`ViolationError` if it does not hold."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any, Protocol

from benchmarks.marks import unmark
from benchmarks.values import fill
from jupyter_qguard.errors import InputError
from jupyter_qguard.redact import redact_notebook, redact_text
from jupyter_qguard.scan import Finding, ScanResult
from tests.fuzz.mutate import Json, mutate, spoil_bytes, spoil_text, tree
from tests.fuzz.plant import anywhere, around, draw_secret, from_grid


class ViolationError(AssertionError):
    """A property does not hold. The message quotes the input, whose secrets are synthetic."""


class Guard(Protocol):
    """The scanner's part that is fuzzed."""

    def scan_notebook(self, document: Mapping[str, Any]) -> ScanResult: ...

    def scan_bytes(self, data: bytes, name: str, *, glance: bool = False) -> ScanResult: ...

    def scan_text(self, text: str) -> ScanResult: ...


_MOST_PASSES = 64
Check = Callable[[Guard, Random], None]


def _fail(what: str, subject: object) -> None:
    shown = subject if isinstance(subject, str) else json.dumps(subject, default=repr)
    message = f"{what}: {shown[:3000]}"
    raise ViolationError(message)


def _left(secret: str, document: Json) -> bool:
    """Whether the secret is in any string or key."""
    if isinstance(document, str):
        return secret in document
    if isinstance(document, dict):
        return any(_left(secret, key) or _left(secret, value) for key, value in document.items())
    if isinstance(document, list):
        return any(_left(secret, item) for item in document)
    return False


def _redacted(guard: Guard, document: dict[str, Any], findings: Iterable[Finding]) -> dict[str, Any]:
    """The redacted document, after checking what must hold of any redaction.

    A mark can bring to light what its secret hid, so redaction is repeated as ``qguard redact`` does; it must end.
    """
    before = copy.deepcopy(document)
    redacted = redact_notebook(document, findings)
    if json.dumps(before) != json.dumps(document):
        _fail("redaction changed its input", before)
    for _ in range(_MOST_PASSES):
        again = guard.scan_notebook(redacted).findings
        if not again:
            return redacted
        redacted = redact_notebook(redacted, again)
    _fail(f"redaction does not end: {again[0].rule_id} at {again[0].pointer} {again[0].spans}", before)
    return redacted


def planted_is_found(guard: Guard, rng: Random) -> None:
    """A secret that gives itself away is found wherever in the JSON it stands, and gone after redaction."""
    planted = anywhere(rng)
    mutate(planted.document, rng, rng.randrange(6), keep=(planted.path,))
    try:
        findings = guard.scan_notebook(planted.document).findings
    except InputError:
        return
    if _left(planted.secret, _redacted(guard, planted.document, findings)):
        _fail(f"passed secret {planted.secret} at {planted.path}", planted.document)


def mutated_grid(guard: Guard, rng: Random) -> None:
    """Whatever is done to a notebook, the scanner ends with a result or with InputError."""
    document = from_grid(rng).notebook
    mutate(document, rng, rng.randint(1, 12))
    try:
        findings = guard.scan_notebook(document).findings
    except InputError:
        return
    _redacted(guard, document, findings)


def mutated_bytes(guard: Guard, rng: Random) -> None:
    """The same for the bytes of a file, and for bytes that are taken as text."""
    text = json.dumps(from_grid(rng).notebook, ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, 1)))
    data = spoil_bytes(text.encode("utf-8", "surrogatepass"), rng)
    for name in ("a.ipynb", "a.log"):
        try:
            guard.scan_bytes(data, name)
        except InputError as error:
            if any(piece in str(error) for piece in ("\n", "\x00")) or len(str(error)) > 400:
                _fail("an error message quotes its input", str(error))


def glanced_file(guard: Guard, rng: Random) -> None:
    """A look at the bytes of a file, instead of reading all of it, costs no finding."""
    document = anywhere(rng).document if rng.random() < 0.5 else from_grid(rng).notebook
    mutate(document, rng, rng.randrange(8))
    if isinstance(document.get("cells"), list):
        document["cells"].append({"cell_type": "markdown", "metadata": {}, "source": "Two qubits.\n" * 400})
    text = json.dumps(document, ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, 1)))
    data = text.encode("utf-8", "surrogatepass")
    try:
        whole = guard.scan_bytes(data, "a.ipynb").findings
    except InputError:
        return
    if guard.scan_bytes(data, "a.ipynb", glance=True).findings != whole:
        _fail("a look at the bytes overlooks what reading finds", document)


def mutated_source(guard: Guard, rng: Random) -> None:
    """Broken code does not break the folding of literals."""
    case = from_grid(rng)
    document = case.notebook
    for cell in document.get("cells", []):
        if cell["cell_type"] == "code":
            cell["source"] = spoil_text("".join(cell["source"]), rng)
    _redacted(guard, document, guard.scan_notebook(document).findings)


def planted_text(guard: Guard, rng: Random) -> None:
    """A secret in a text is found, and gone after redaction; all else stays."""
    secret = draw_secret(rng)[1]
    head = spoil_text("".join(rng.choices(("INFO run\n", "counts: {}\n", "# note\n"), k=5)), rng)
    text = head + "\n" + around(secret, rng) + "\n" + head[::-1]
    findings = guard.scan_text(text).findings
    redacted = redact_text(text, findings)
    if secret in redacted:
        _fail(f"passed secret {secret} in a text", text)
    for _ in range(_MOST_PASSES):
        redacted = redact_text(redacted, guard.scan_text(redacted).findings)
    if guard.scan_text(redacted).findings:
        _fail("redaction of the text does not end", text)


def wrong_types(guard: Guard, rng: Random) -> None:
    """Any JSON value may stand in any field of a notebook."""
    fields = ("cells", "metadata", "worksheets", "nbformat")
    document = {field: tree(rng, 4) for field in fields if rng.random() < 0.8}
    if rng.random() < 0.7:
        inner = ("cell_type", "source", "outputs", "metadata", "attachments", "id", "input")
        cells = [{field: tree(rng, 3) for field in inner if rng.random() < 0.6} for _ in range(3)]
        document["cells" if rng.random() < 0.7 else "worksheets"] = cells if rng.random() < 0.7 else [{"cells": cells}]
    try:
        findings = guard.scan_notebook(document).findings
    except InputError:
        return
    _redacted(guard, document, findings)


def secrets_as_keys(guard: Guard, rng: Random) -> None:
    """Several secrets of one kind as keys of one object: all go, and no value goes with them."""
    credential = draw_secret(rng)[0]
    keys = [unmark(fill(credential.value, rng)) for _ in range(rng.randint(2, 4))]
    counts = {key: {"jobs": number} for number, key in enumerate(keys)}
    document: dict[str, Any] = {"cells": [], "metadata": {"jobs_by_token": counts}, "nbformat": 4, "nbformat_minor": 5}
    redacted = _redacted(guard, document, guard.scan_notebook(document).findings)
    if any(_left(key, redacted) for key in keys):
        _fail("a secret is left in a key", document)
    if list(redacted["metadata"]["jobs_by_token"].values()) != list(counts.values()):
        _fail("redacting keys lost or changed a value", document)


CHECKS: tuple[Check, ...] = (
    planted_is_found,
    mutated_grid,
    mutated_bytes,
    glanced_file,
    mutated_source,
    planted_text,
    wrong_types,
    secrets_as_keys,
)
