"""Reads the part of YAML that policies are written in, and remembers on which line each value stands.

Mappings, lists, text, whole numbers, dates, ``true`` and ``false``. What YAML would guess from a bare word beyond
that, anchors, tags, a key that stands twice, and files too large or too deep to be a policy are errors: a file that
two readers can understand differently must not decide anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from jupyter_qguard.errors import PolicyError

Path = tuple[str | int, ...]
"""Keys and list positions from the top of the file."""

MAX_BYTES = 1 << 20
"""Two hundred times a long policy; parsing that much takes less than a second."""
_MAX_DEPTH = 24
_MAX_VALUES = 50_000
_MAX_SHOWN = 40
_TOO_MUCH = "nested too deep or too long for a policy"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_WORDS = {"true": True, "false": False}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a policy file, in words fit for a terminal."""

    line: int
    """From 1; 0 where the whole file is meant."""
    key: str
    """Dotted path, empty at the top."""
    text: str


class InvalidPolicyError(PolicyError):
    """A policy file that cannot be used: its name, and everything that is wrong with it."""

    def __init__(self, source: str, problems: tuple[Problem, ...]) -> None:
        """*source* is what users know the file by."""
        self.source = source
        self.problems = problems
        super().__init__("\n".join(self.describe(problem) for problem in problems))

    def describe(self, problem: Problem) -> str:
        """*problem* with file, line and key."""
        where = f"{self.source}:{problem.line}" if problem.line else self.source
        return f"{where}: {problem.key}: {problem.text}" if problem.key else f"{where}: {problem.text}"


class PolicyText:
    """The data of a policy file, and where each part of it stands."""

    __slots__ = ("_lines", "data", "source")

    def __init__(self, text: str, source: str) -> None:
        """Parse *text*; *source* is what errors call the file.

        Raises
        ------
        InvalidPolicyError
            *text* is no YAML, more than one document, or uses more of YAML than a policy may.
        """
        self.source = source
        self._lines: dict[Path, int] = {}
        self.data: Any = None
        if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
            self._refuse(0, (), f"the file is larger than {MAX_BYTES >> 20} MiB: that is no policy")
        try:
            self._survey(text)
            root: Any = yaml.compose(text, Loader=_LOADER)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            problem = getattr(error, "problem", None) or "it has a character that YAML does not allow"
            line = mark.line + 1 if mark else 0
            if "nesting depth" in problem:  # libyaml 0.2.6 and later bound it themselves, before our survey does
                self._refuse(line, (), _TOO_MUCH)
            self._refuse(line, (), f"not valid YAML: {problem}")
        except UnicodeEncodeError:
            self._refuse(0, (), "the file is not valid UTF-8 text")
        if root is None:
            self._refuse(1, (), "the file is empty: its first line is `apiVersion: qguard/v1`")
        self.data = self._value(root, ())

    def line(self, path: Path) -> int:
        """The line, from 1, of what *path* names, or of the nearest thing around it that is there."""
        while path not in self._lines:
            path = path[:-1]
        return self._lines[path]

    def _survey(self, text: str) -> None:
        """Bound depth and size, and refuse aliases, before anything is built from them."""
        depth = values = 0
        for event in yaml.parse(text, Loader=_LOADER):
            line = event.start_mark.line + 1 if event.start_mark else 0
            if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                depth += 1
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                depth -= 1
            if isinstance(event, yaml.NodeEvent):
                values += 1
                if event.anchor is not None:
                    self._refuse(line, (), "anchors and aliases are not allowed: write the value out")
            if depth > _MAX_DEPTH or values > _MAX_VALUES:
                self._refuse(line, (), _TOO_MUCH)

    def _value(self, node: Any, path: Path) -> Any:
        self._lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag != f"{_TAG}str" or not isinstance(key_node, yaml.ScalarNode):
                self._refuse(line, path, "a key must be text: put it in quotes")
            key = str(key_node.value)
            inner = (*path, key)
            if key in result:
                self._refuse(line, path, f"the key `{shown(key)}` stands twice, first on line {self._lines[inner]}")
            self._lines[inner] = line
            result[key] = self._value(value_node, inner)
        return result

    def _scalar(self, node: Any, path: Path) -> str | int | bool | None:  # noqa: RET503 (_refuse does not return)
        kind, text = node.tag.removeprefix(_TAG), str(node.value)
        if kind == "str" or (kind == "timestamp" and _DATE.fullmatch(text)):
            return text
        if kind == "bool" and text in _WORDS:
            return _WORDS[text]
        if kind == "null":
            return None
        if kind == "int" and _NUMBER.fullmatch(text):
            return int(text)
        line = node.start_mark.line + 1
        if kind == "bool":
            self._refuse(line, path, "write `true` or `false`, or put the word in quotes if it is text")
        if kind in ("int", "float", "timestamp"):
            self._refuse(line, path, f"this would be read as a {kind}: put it in quotes if it is text")
        self._refuse(line, path, "tags are not allowed in a policy")

    def _refuse(self, line: int, path: Path, problem: str) -> NoReturn:
        raise InvalidPolicyError(self.source, (Problem(line, dotted(path), problem),))


def dotted(path: Path) -> str:
    """*path* as users write it: ``egress.allow[0].host``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{shown(step)}"
    return text.removeprefix(".")


def shown(text: str) -> str:
    """A key or word of the file, fit for a message: printable and short, as it may be anything."""
    safe = "".join(char if char.isprintable() and char != "`" else "?" for char in text[:_MAX_SHOWN])
    return safe if len(text) <= _MAX_SHOWN else f"{safe}…"
