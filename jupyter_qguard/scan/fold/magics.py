"""What IPython understands beside Python: magics, shell commands, help requests; and the values put into them.

Syntax: IPython documentation, "Built-in magic commands" and "System shell access".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_qguard.scan.fold.constant import TEXT_LIMIT, string
from jupyter_qguard.scan.fold.encodings import readable
from jupyter_qguard.scan.fold.literal import Reader
from jupyter_qguard.scan.view import View, ViewBuilder

if TYPE_CHECKING:
    from jupyter_qguard.scan.fold.edits import Edits
    from jupyter_qguard.scan.fold.evaluate import Evaluator

_CANDIDATE = re.compile(r"^[ \t]*[%!?/,;]|=[ \t]*[%!]|\?[ \t]*$", re.MULTILINE)
_START = re.compile(
    r"(?P<indent>[ \t]*)(?:"
    r"(?P<python>%(?:time|timeit|prun|memit|mprun|lprun|snakeviz)[ \t]+(?:-\w+(?:[ \t]*\d+)?[ \t]+)*(?=\S))"
    r"|(?P<target>[\w.,\[\]'\" ]{1,200}=[ \t]*)(?=[%!][^=\s])"
    r"|(?=[%!?/,;])|(?=%?%?[\w.*]+\?\??[ \t]*(?:\r|\n|\Z)))"
)
_REST = re.compile(r"(?:\\\r?\n|[^\r\n])*")
_STEP = re.compile(r"\\\r?\n|\r\n|\r|\n|[()\[\]{}]|#[^\r\n]*|(?:\b[rRbBuUfFtT]{1,2})?[\"']")
_CELL_MAGIC = re.compile(r"(?:[ \t]*\r?\n)*%%(?P<name>\w+)[^\r\n]*")
_PYTHON_CELLS = frozenset(
    "time timeit capture prun memit mprun python python3 py px local debug skip spark pyspark skip_if".split()
)
_ENVIRONMENT = re.compile(r"%(?:set_)?env[ \t]+(?P<name>[A-Za-z_]\w*)(?:=|[ \t]+)(?P<value>\S[^\r\n]*)")
_INSERTED = re.compile(r"\{(?P<expression>[^{}\r\n]{1,200})\}|\$\$|\$(?P<name>[A-Za-z_]\w*)")


@dataclass(frozen=True, slots=True)
class Layout:
    """Which parts of a cell are Python."""

    python: str
    """The cell with all else blanked out, offset by offset."""
    magics: tuple[tuple[int, int], ...]
    """Spans of line magics, shell commands and help requests."""
    body: int
    """Where the cell starts, after the line of a cell magic."""
    language: bool
    """Whether the body is Python at all."""


def read_layout(source: str, text: str) -> Layout:
    """Tell Python from magics. *text* is the cell in the form in which it can be parsed, equally long."""
    cell_magic = _CELL_MAGIC.match(source)
    if cell_magic:
        end = cell_magic.end()
        python = cell_magic.group("name") in _PYTHON_CELLS
        blank = re.sub(r"[^\r\n]", " ", text[:end])
        rest, spans = blank_magics(text, end) if python else (text[end:], [])
        return Layout(blank + rest, (cell_magic.span(), *spans), end, python)
    if _CANDIDATE.search(text) is None:
        return Layout(text, (), 0, language=True)
    rest, spans = blank_magics(text, 0)
    return Layout(rest, tuple(spans), 0, language=True)


def blank_magics(text: str, at: int) -> tuple[str, list[tuple[int, int]]]:
    """``text[at:]`` with a name in the place of everything that is not Python, and where that was."""
    out: list[str] = []
    spans: list[tuple[int, int]] = []
    reader = Reader(text)
    depth, fresh = 0, True
    while at < len(text):
        if fresh and not depth:
            match = _START.match(text, at)
            if match:
                at = _blank(text, match, out, spans)
                fresh = False
                continue
        step = _STEP.search(text, at)
        if step is None:
            break
        found, end = step.group(), step.end()
        fresh = found in ("\n", "\r", "\r\n")
        if found[-1] in "\"'":
            literal = reader.read(step.start(), len(text))
            end = literal.end if literal else end
        elif found in "([{":
            depth += 1
        elif found in ")]}":
            depth = max(0, depth - 1)
        out.append(text[at:end])
        at = end
    out.append(text[at:])
    return "".join(out), spans


def _blank(text: str, match: re.Match[str], out: list[str], spans: list[tuple[int, int]]) -> int:
    """Blank what is not Python at a line that starts with a magic; returns the offset to go on at."""
    if match.group("python"):
        out.append(match.group("indent") + "0;" + " " * (len(match.group("python")) - 2))
        return match.end()
    rest = _REST.match(text, match.end())
    end = rest.end() if rest else match.end()
    out.append(match.group() + "_" + re.sub(r"[^\r\n]", " ", text[match.end() + 1 : end]))
    spans.append((match.end(), end))
    return end


def fold_magic(evaluator: Evaluator, edits: Edits, start: int, end: int) -> None:
    """Put constants in the place of ``{name}`` and ``$name``, and follow what ``%env`` sets."""
    source = evaluator.source
    value = ViewBuilder()
    environment = _ENVIRONMENT.match(source, start, end)
    low = environment.start("value") if environment else end
    done = low
    for match in _INSERTED.finditer(source, start, end):
        found = _inserted(evaluator, match)
        if found is None:
            continue
        edits.replace(*match.span(), found)
        if match.start() >= low:
            value.append(source[done : match.start()], evaluator.fragment, done, match.start())
            value.append_slice(found, 0, len(found.text))
            done = match.end()
    if environment:
        value.append(source[done:end], evaluator.fragment, done, end)
        _bind_environment(evaluator, environment.group("name"), value.build())


def _inserted(evaluator: Evaluator, match: re.Match[str]) -> View | None:
    span = match.span("expression") if match.group("expression") else match.span("name")
    constant = evaluator.field(*span) if span[0] >= 0 else None
    view = readable(constant) if constant is not None and constant.is_string else None
    return view if view is not None and len(view.text) <= TEXT_LIMIT // 8 else None


def _bind_environment(evaluator: Evaluator, name: str, view: View) -> None:
    """IPython keeps quotes as part of the value; whoever writes them does not mean them."""
    text = view.text.rstrip()
    quotes = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    shorter = view.slice(1, len(text) - 1) if quotes else view.slice(0, len(text))
    evaluator.scope.bind(f"os.environ[{name!r}]", string(shorter))
