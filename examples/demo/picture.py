"""``python -m examples.demo.picture``: draws the README's picture from a real run, into ``docs/_static/save-guard.svg``."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from http import HTTPStatus
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from examples.demo import keys, notebooks
from examples.demo.server import Place, jupyter_server
from examples.demo.stage import Stage

_TARGET = Path(__file__).resolve().parents[2] / "docs" / "_static" / "save-guard.svg"
_NAME = "ibm_ghz_fidelity.ipynb"
_WIDTH = 92


def main() -> int:
    """Draw. The exit code is 1, and nothing is drawn, if the guard did not do what the picture is to show."""
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True)
    with tempfile.TemporaryDirectory(prefix="qguard-picture-") as folder:
        held = _play(Stage(Place(Path(folder)).make(), console))
    if not held:
        return 1
    _TARGET.parent.mkdir(exist_ok=True)
    picture = console.export_svg(title="jupyter-qguard", code_format=_without_fonts(), unique_id="qguard")
    _TARGET.write_text("\n".join(line.rstrip() for line in picture.splitlines()).strip() + "\n", "utf-8")
    return 0


def _play(stage: Stage) -> bool:
    key = keys.ibm_key()
    pasted = notebooks.pasted(notebooks.load(Path(_NAME).stem), "QiskitRuntimeService", f'token="{key}"')
    with jupyter_server(stage.place, guarded=True) as client:
        answer = client.save(_NAME, pasted)
    stage.quote(f"A key in a cell. PUT {_NAME}: {answer.status}", answer.message)
    refused = answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and not stage.traces(key)
    (stage.place.root / "run.log").write_text(f"retrying with DWAVE_API_TOKEN={keys.dwave_token()}\n", "utf-8")
    code, text = stage.run("qguard", "scan", ".")
    stage.quote(f"A log that a program left: $ qguard scan .   (exit {code})", text)
    return refused and code == 1


def _without_fonts() -> str:
    """Rich's frame without its web fonts: whoever looks at the picture asks no other host."""
    head, *rest = CONSOLE_SVG_FORMAT.split("@font-face {{")
    return head + rest[-1].split("}}", 1)[1]


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
