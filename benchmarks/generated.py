"""Notebooks of any size for measuring saves: text-heavy ones with everything that makes a scanner work, and plots."""

from __future__ import annotations

import base64
from random import Random
from typing import Any

Json = dict[str, Any]
MEGABYTE = 1_000_000
_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_PLOT = (60_000, 300_000)
"""Bytes of one plot, from and to."""
_WORDS = (
    "state qubit gate noise circuit result shots counts energy phase angle layer depth batch model loss epoch index "
    "value matrix vector basis weight sample rate error fidelity backend pulse drive detuning field lattice site spin"
).split()
_TELLING = "token key tokenizer pad_token cache_key primary_key access_token author project api_key password".split()
"""Words that a scanner must look at more closely, though nothing in these notebooks is a secret."""
_TOLD = 0.07
"""Share of the cells that speak of these."""
_CODE = (
    "import numpy as np\nfrom scipy.optimize import minimize\n",
    "{x} = np.zeros(({n}, {m}))\nfor i in range({n}):\n    {x}[i] = {c}(i, {f})\n",
    'def {x}({b}, shots={n}):\n    """The {b} of a {c}."""\n    return sum({b}[k] * {f} for k in range(shots)) / {m}\n',
    "{x} = {{'{a}': {f}, '{b}': {n}, 'label': 'run {m}'}}\nprint(f\"{{{x}['{a}']:.3f}} of {{{x}['{b}']}}\")\n",
    "qc = QuantumCircuit({q})\nqc.h(range({q}))\nqc.cx(0, {q} - 1)\nqc.rz({f}, 0)\nqc.measure_all()\n",
    "fig, ax = plt.subplots(figsize=({q}, 4))\nax.plot({x}, {y}, 'o-', label='{a} over {b}')\nax.legend()\n",
    "{x} = sorted({y}.items(), key=lambda item: item[{q} % 2], reverse=True)[:{n}]\n",
    "path = 'data/{a}_{n}' + '.csv'\nframe = pd.read_csv(path, index_col='{b}_number')\n",
    "{x} = sampler.run([qc.assign_parameters({y})], shots={m})\nprint({x}.result()[0].data.meas.get_counts())\n",
)
_LINES = (
    "{a} {n:5d}  {b} {f:.6f}  {c} {g:.6f}\n",
    "[{n:4d}/{m}] loss={f:.4f} {a}={g:.4f} ({b} {c})\n",
    "INFO 2026-03-{d:02d} 12:{d:02d}:07 job {h} of {a}: {b}\n",
    "{bits}: {n}\n",
    "  warnings.warn('{a} of {b} is deprecated, use {c}')\n",
)


_SERVICE = "service = QiskitRuntimeService(channel='ibm_quantum_platform')\nbackend = service.least_busy()\n"


class Writer:
    """Writes cells; the same seed gives the same cells."""

    def __init__(self, seed: int) -> None:
        """*seed* decides everything."""
        self._random = Random(seed)
        self._words: tuple[str, ...] | list[str] = _WORDS

    def text_heavy(self, size: int) -> Json:
        """A notebook of about *size* bytes in cells of code with text outputs, and prose."""
        cells: list[Json] = []
        written = 0
        while written < size:
            cell = self.prose() if self._random.random() < 0.25 else self.code()
            cells.append(cell)
            written += _size(cell)
        return _notebook(cells)

    def image_heavy(self, size: int) -> Json:
        """A notebook of about *size* bytes, nearly all of them plots."""
        cells: list[Json] = []
        written = 0
        while written < size:
            cell = self.plot()
            cells.append(cell)
            written += _size(cell)
        return _notebook(cells)

    def code(self) -> Json:
        """A code cell with a stream, a result, or both."""
        random = self._random
        self._words = (*_WORDS, *_WORDS, *_WORDS, *_TELLING) if random.random() < _TOLD else _WORDS
        outputs: list[Json] = []
        if random.random() < 0.7:
            text = [self._fill(random.choice(_LINES)) for _ in range(random.randint(5, 120))]
            outputs.append({"output_type": "stream", "name": "stdout", "text": text})
        if random.random() < 0.4:
            outputs.append(self._table(random.randint(3, 20)))
        source = "".join(self._fill(random.choice(_CODE)) for _ in range(random.randint(1, 8)))
        if self._words is not _WORDS and random.random() < 0.2:
            source += _SERVICE
        return self._cell("code", source.splitlines(keepends=True), outputs=outputs, execution_count=1)

    def prose(self) -> Json:
        """A markdown cell."""
        random = self._random
        lines = [f"## {random.choice(_WORDS)} {random.choice(_WORDS)}\n"]
        for _ in range(random.randint(1, 8)):
            words = " ".join(random.choice(_WORDS) for _ in range(random.randint(8, 40)))
            lines += [
                "\n",
                f"{words}, $\\alpha_{random.randint(0, 9)} = {random.random():.3f}$ [link](https://x.example/a?b=1).\n",
            ]
        return self._cell("markdown", lines)

    def plot(self) -> Json:
        """A code cell with a plot of random bytes behind a PNG's head."""
        random = self._random
        image = base64.b64encode(_PNG + random.randbytes(random.randint(*_PLOT))).decode() + "\n"
        data = {"image/png": image, "text/plain": ["<Figure size 640x480 with 1 Axes>"]}
        output = {"output_type": "display_data", "data": data, "metadata": {}}
        return self._cell("code", [self._fill(_CODE[5])], outputs=[output], execution_count=1)

    def _table(self, rows: int) -> Json:
        header = "<table><thead><tr><th></th><th>shots</th><th>counts &amp; error</th></tr></thead><tbody>"
        body = "".join(self._fill("<tr><th>{n}</th><td>{f:.5f}</td><td>{a} {g:.3f}</td></tr>\n") for _ in range(rows))
        plain = [self._fill("{n:6d}  {f:.5f}  {a}\n") for _ in range(rows)]
        data = {"text/html": (header + body + "</tbody></table>").splitlines(keepends=True), "text/plain": plain}
        return {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 1}

    def _cell(self, kind: str, source: list[str], **more: Any) -> Json:
        identifier = f"{self._random.getrandbits(32):08x}"
        return {"cell_type": kind, "id": identifier, "metadata": {}, "source": source, **more}

    def _fill(self, template: str) -> str:
        random = self._random
        a, b, c = random.choices(self._words, k=3)
        x, y = (f"{name}_{random.choice(_WORDS)}_{random.randint(0, 99)}" for name in (a, b))
        return template.format(
            a=a, b=b, c=c, x=x, y=y, n=random.randint(1, 900), m=random.randint(1, 9000), q=random.randint(2, 30),
            d=random.randint(1, 28), f=random.random() * 10, g=random.random(), h=f"{random.getrandbits(64):016x}",
            bits=f"{random.getrandbits(20):020b}",
        )  # fmt: skip


def _notebook(cells: list[Json]) -> Json:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    language = {"name": "python", "version": "3.11.2", "mimetype": "text/x-python", "file_extension": ".py"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": language},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _size(cell: Json) -> int:
    """Bytes of a cell in a file, near enough."""
    texts = [*cell["source"]]
    for output in cell.get("outputs", ()):
        texts += output.get("text", ())
        for value in output.get("data", {}).values():
            texts += [value] if isinstance(value, str) else value
    return sum(len(text) + 12 for text in texts) + 200
