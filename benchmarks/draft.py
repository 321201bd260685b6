"""Builds one notebook of the grid: the cells before and after, and the text in which the secret stands."""

from __future__ import annotations

import html
import json
import re
import urllib.parse
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from benchmarks.credentials import Credential
from benchmarks.marks import Lines, mapped, mark
from benchmarks.values import fill

Cell = dict[str, Any]
Notebook = dict[str, Any]

_VARIABLE = re.compile(r"\$([A-Z_]+)")
_CIRCUIT = """from qiskit import QuantumCircuit

qc = QuantumCircuit(2)
qc.h(0)
qc.cx(0, 1)
qc.measure_all()
qc.draw("mpl")"""
_COUNTS = "{'00': 507, '11': 493, '01': 13, '10': 11}"


def escaped(text: str) -> str:
    """As between double quotes in Python or JSON."""
    return mapped(text, lambda piece: json.dumps(piece, ensure_ascii=False)[1:-1])


def quoted(text: str, quote: str = '"') -> str:
    """A Python literal."""
    return quote + escaped(text) + quote


def url_quoted(text: str) -> str:
    """As in a query string."""
    return mapped(text, lambda piece: urllib.parse.quote(piece, safe=""))


def html_escaped(text: str) -> str:
    """As in an HTML text node."""
    return mapped(text, html.escape)


def lines(text: str) -> Lines:
    """The list of lines that nbformat makes of a string."""
    return Lines(re.findall(r"[^\n]*\n|[^\n]+", text))


class Draft:
    """One credential with a fresh random value, and the words that go with it."""

    def __init__(self, credential: Credential, rng: Random) -> None:
        """Draw the value."""
        self.credential = credential
        self.rng = rng
        self.secret = mark(fill(credential.value, rng))
        self.env = rng.choice(credential.env) if credential.env else credential.name.upper()
        self.literal = quoted(self.secret)

    def another(self, secret: int) -> str:
        """A second value of the same kind, marked as secret number *secret*."""
        return mark(fill(self.credential.value, self.rng), secret)

    def expand(self, template: str) -> str:
        """Put the credential's words into a template: ``$V`` literal, ``$R`` raw value, ``$CALL``, ``$ENV`` and so on."""
        return _VARIABLE.sub(lambda match: self._word(match.group(1)), template)

    def call(self, argument: str) -> str:
        """The vendor's call with another expression in the place of the literal."""
        return self.credential.call.replace("$V", argument)

    def header(self) -> tuple[str, str]:
        """Name and value of the header that carries the credential."""
        name, _, value = self.credential.header.partition(": ")
        return name, value.replace("$R", self.secret)

    def _word(self, name: str) -> str:
        made = _WORDS.get(name)
        if made is None:
            message = f"no ${name} in templates"
            raise KeyError(message)
        return made(self)

    def text(self, text: str) -> str | Lines:
        """A multi-line string in one of the two forms that nbformat allows."""
        return lines(text) if self.rng.random() < 0.6 else text

    def code(self, source: str, *outputs: dict[str, Any]) -> Cell:
        """A code cell."""
        count = self.rng.randrange(1, 60)
        for output in outputs:
            if output["output_type"] == "execute_result":
                output["execution_count"] = count
        return {
            "cell_type": "code",
            "execution_count": count,
            "id": self.rng.randbytes(4).hex(),
            "metadata": {},
            "outputs": list(outputs),
            "source": self.text(source),
        }

    def prose(self, source: str, kind: str = "markdown", **rest: object) -> Cell:
        """A markdown or raw cell."""
        made: Cell = {"cell_type": kind, "id": self.rng.randbytes(4).hex(), "metadata": {}, "source": self.text(source)}
        return made | rest

    def stream(self, text: str, name: str = "stdout") -> dict[str, Any]:
        """Output of ``print`` or of a logger."""
        return {"name": name, "output_type": "stream", "text": self.text(text)}

    def shown(self, mimes: Mapping[str, Any] | None = None, /, *, result: bool = False, **short: Any) -> dict[str, Any]:
        """Display data, or an execution result; keyword names are short for media types."""
        named = dict(mimes or {}) | {_MIMES[key]: value for key, value in short.items()}
        data = {mime: self.text(value) if isinstance(value, str) else value for mime, value in named.items()}
        return {"data": data, "metadata": {}, "output_type": "execute_result" if result else "display_data"}

    def error(self, name: str, value: str, traceback: list[str]) -> dict[str, Any]:
        """An exception."""
        return {"ename": name, "evalue": value, "output_type": "error", "traceback": traceback}

    def notebook(self, *cells: Cell, metadata: dict[str, Any] | None = None, setup: str = "") -> Notebook:
        """The cells within a plausible notebook of this vendor's users."""
        before = [
            self.prose(f"# Bell states on {self.credential.title}\n\nWe compare hardware counts with the simulator."),
            self.code(setup or self.credential.setup),
        ]
        after = [
            self.code(_CIRCUIT, self.shown(plain="<Figure size 287x200 with 1 Axes>")),
            self.code("counts", self.shown(result=True, plain=_COUNTS)),
        ]
        spec = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
        info = {"name": "python", "version": "3.11.9", "file_extension": ".py", "mimetype": "text/x-python"}
        return {
            "cells": before + list(cells) + after,
            "metadata": {"kernelspec": spec, "language_info": info} | (metadata or {}),
            "nbformat": 4,
            "nbformat_minor": 5,
        }


_MIMES = {
    "plain": "text/plain",
    "html": "text/html",
    "markdown": "text/markdown",
    "latex": "text/latex",
    "svg": "image/svg+xml",
    "json": "application/json",
}
_WORDS: dict[str, Callable[[Draft], str]] = {
    "V": lambda draft: draft.literal,
    "R": lambda draft: draft.secret,
    "J": lambda draft: escaped(draft.secret),
    "H": lambda draft: html_escaped(draft.secret),
    "U": lambda draft: url_quoted(draft.secret),
    "ENV": lambda draft: draft.env,
    "NAME": lambda draft: draft.credential.name,
    "UPPER": lambda draft: draft.credential.name.upper(),
    "CAMEL": lambda draft: re.sub(r"_(\w)", lambda m: m.group(1).upper(), draft.credential.name.lower()),
    "FIELD": lambda draft: draft.credential.field,
    "SECTION": lambda draft: draft.credential.section,
    "CALL": lambda draft: draft.call(draft.literal),
    "POSITIONAL": lambda draft: draft.credential.positional.replace("$V", draft.literal),
    "CALL_NAME": lambda draft: draft.call(draft.credential.name),
    "HEADER": lambda draft: draft.header()[0],
    "HEADER_VALUE": lambda draft: draft.header()[1],
    "HEADER_LOWER": lambda draft: draft.header()[0].lower(),
    "URL": lambda draft: draft.credential.url or f"https://api.{draft.credential.vendor.replace('_', '-')}.example/v1",
    "QUERY": lambda draft: draft.credential.query or "token",
    "HOST": lambda draft: urllib.parse.urlsplit(_WORDS["URL"](draft)).netloc,
    "TITLE": lambda draft: draft.credential.title,
    "VENDOR": lambda draft: draft.credential.vendor,
    "REPR": lambda draft: draft.credential.repr.replace("$V", quoted(draft.secret, "'")).replace("$R", draft.secret),
}
