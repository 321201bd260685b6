"""Inputs that are extreme in one way: size, number, depth, or what JSON and UTF-8 only just allow."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from random import Random
from time import process_time
from typing import Any

from jupyter_qguard.errors import InputError
from tests.fuzz.plant import draw_secret
from tests.fuzz.properties import Guard

MEGABYTE = 1_000_000
Giant = Callable[[Guard], str]
"""Says what is wrong, or nothing."""


def _secret() -> str:
    return draw_secret(Random(7))[1]


def _notebook(*cells: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _code(source: object, *outputs: object) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": list(outputs), "source": source}


def _stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def _image(size: int) -> dict[str, Any]:
    data = "iVBORw0KGgoAAAANSUhEUgAA" + "Qk1GNgA4" * (size // 8)
    return {"output_type": "display_data", "metadata": {}, "data": {"image/png": data}}


def _expect(guard: Guard, data: bytes, seconds: float, *, refusable: bool = False, name: str = "a.ipynb") -> str:
    """Scan bytes in which a secret is planted: found within the time, or refused where that is allowed."""
    started = process_time()
    try:
        findings = guard.scan_bytes(data, name).findings
    except InputError as error:
        return "" if refusable else f"refused: {error}"
    spent = process_time() - started
    if not findings:
        return "the secret was not found"
    return f"took {spent:.0f} s of at most {seconds:.0f}" if spent > seconds else ""


def large(guard: Guard, size: int = 200 * MEGABYTE) -> str:
    """Half of it text, half images, and a secret at the end."""
    line = "step 1042: energy -1.1372838 hartree, gradient norm 3.2e-05, parameters [0.1, 0.2]\n"
    chunk = MEGABYTE
    pairs = size // (2 * chunk)
    cells = [_code("run()", _stream(line * (chunk // len(line))), _image(chunk)) for _ in range(pairs)]
    cells.append(_code("print(token)", _stream(f"token={_secret()}\n")))
    return _expect(guard, json.dumps(_notebook(*cells)).encode(), 120 * max(size / (200 * MEGABYTE), 0.1))


def many_cells(guard: Guard, count: int = 100_000) -> str:
    """Many small cells, and a secret in the last."""
    cells = [_code(f"x{number} = {number}", _stream(f"{number}\n")) for number in range(count)]
    cells.append(_code(f"token = '{_secret()}'"))
    return _expect(guard, json.dumps(_notebook(*cells)).encode(), 120 * max(count / 100_000, 0.1))


def deep(guard: Guard, levels: int, *, objects: bool) -> str:
    """A secret below many levels of JSON: found, or the notebook is refused. Never let through."""
    opening, closing = ('{"a":', "}") if objects else ("[", "]")
    inner = opening * levels + json.dumps(f"token={_secret()}") + closing * levels
    text = '{"cells": [], "metadata": {"deep": ' + inner + '}, "nbformat": 4, "nbformat_minor": 5}'
    return _expect(guard, text.encode(), 10, refusable=levels > 150)


def one_line(guard: Guard, size: int = 20 * MEGABYTE) -> str:
    """One line of code without an end, and one of text."""
    source = "x = [" + "0.125, " * (size // 7) + f"]; token = '{_secret()}'"
    return _expect(guard, json.dumps(_notebook(_code(source))).encode(), 60)


def quotes(guard: Guard, size: int = MEGABYTE) -> str:
    """What makes careless parsers of literals slow: quotes, brackets and backslashes without end."""
    for filler in (
        "'",
        '"',
        "('",
        "f'{",
        "\\",
        "b'a' ",
        "'a' + ",
        "[" * 9 + "'",
        '"""',
        "x = y = ",
        "= ",
        "eyJ",
        "<b",
        "&#",
        "%2",
    ):
        source = filler * (size // len(filler)) + f"\ntoken = '{_secret()}'\n"
        problem = _expect(guard, json.dumps(_notebook(_code(source, _stream(source)))).encode(), 30)
        if problem:
            return f"{filler!r}: {problem}"
    return ""


def encoded(guard: Guard, size: int = 4 * MEGABYTE) -> str:
    """Base64 without end is looked at once, not once for every character."""
    return _expect(
        guard, json.dumps(_notebook(_code("x", _stream("QUJD" * (size // 4) + f"\n{_secret()}")))).encode(), 30
    )


def odd_json(guard: Guard) -> str:
    """What Python's JSON parser accepts beyond the standard."""
    body = json.dumps(f"token={_secret()}")
    cells = (
        f'[{{"cell_type": "code", "source": {body}, "outputs": null, "metadata": {{"n": %s}}, "execution_count": NaN}}]'
    )
    for odd in ("NaN", "-Infinity", "1e999", "1" * 4000, '"\\ud800"', '"\\u0000"', "[" * 90 + "]" * 90):
        text = f'{{"cells": {cells % odd}, "metadata": {{}}, "metadata": {{}}, "nbformat": 4}}'
        problem = _expect(guard, text.encode(), 10)
        if problem:
            return f"{odd[:20]}: {problem}"
    return ""


def refused(guard: Guard) -> str:
    """What is no notebook is refused with a reason."""
    for data in (
        b"",
        b"\xff\xfe",
        b"{",
        b"[]",
        b"null",
        b'{"cells": {}}',
        b'{"cells": [1]}',
        b"\x00" * 99,
        b'"\xed\xa0\x80"',
    ):
        try:
            guard.scan_bytes(data, "a.ipynb")
        except InputError as error:
            if not str(error):
                return f"{data!r}: refused without a reason"
            continue
        return f"{data!r}: not refused"
    return ""


def duplicate_keys(guard: Guard) -> str:
    """Of two equal keys the last one counts when Jupyter reads and writes the file; the first is still on the disk."""
    cell = '{"cell_type": "code", "source": %s, "source": %s, "outputs": [], "metadata": {}}'
    text = cell % (json.dumps("x"), json.dumps(f"token = '{_secret()}'"))
    return _expect(guard, f'{{"cells": [{text}], "metadata": {{}}, "nbformat": 4}}'.encode(), 10)


def text_with_odd_bytes(guard: Guard) -> str:
    """Invalid UTF-8 around a secret in a log, a byte order mark that lies, NUL bytes: found, or refused."""
    line = f"token={_secret()}\n".encode()
    broken = b"\xfe caf\xe9\n" + line + b"\xed\xa0\x80 tail"
    problem = _expect(guard, broken, 10, name="a.log")
    for data in (b"\xff\xfe" + broken, b"\xef\xbb\xbf" + broken, b"\x00" + broken, broken + b"\x00" * 9, _wide(line)):
        try:
            findings = guard.scan_bytes(data, "a.log").findings
        except InputError:
            continue
        if not findings:
            problem = problem or f"let through: {data[:9]!r}"
    return problem


def _wide(line: bytes) -> bytes:
    return line.decode().encode("utf-16")


GIANTS: dict[str, Giant] = {
    "200 MB": large,
    "100 000 cells": many_cells,
    **{
        f"{levels} levels of lists": partial(deep, levels=levels, objects=False)
        for levels in (100, 150, 390, 900, 5000, 100_000)
    },
    **{
        f"{levels} levels of objects": partial(deep, levels=levels, objects=True)
        for levels in (100, 150, 390, 900, 5000, 100_000)
    },
    "one line of 20 MB": one_line,
    "quotes without end": quotes,
    "base64 without end": encoded,
    "odd JSON": odd_json,
    "no notebook": refused,
    "duplicate keys": duplicate_keys,
    "odd bytes in a text": text_with_odd_bytes,
}
QUICK = ("odd JSON", "no notebook", "duplicate keys", "odd bytes in a text")
"""Those that need no size."""
