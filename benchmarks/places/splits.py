"""Secrets that code puts together from several literals."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.draft import Draft, Notebook, quoted
from benchmarks.marks import parts, unmark
from benchmarks.places.registry import place


def cut(draft: Draft, count: int) -> list[str]:
    """The marked value in *count* marked parts of at least four characters."""
    length = len(unmark(draft.secret))
    cuts = [length * number // count + draft.rng.randint(-1, 1) for number in range(1, count)]
    return parts(draft.secret, tuple(cuts))


def _literals(draft: Draft, count: int, prefix: str = "") -> list[str]:
    quote = draft.rng.choice("'\"")
    return [prefix + quoted(part, quote) for part in cut(draft, count)]


_EXPRESSIONS: dict[str, Callable[[Draft], str]] = {
    "split_adjacent": lambda draft: " ".join(_literals(draft, 2)),
    "split_adjacent_lines": lambda draft: "(" + "\n    ".join(_literals(draft, 3)) + ")",
    "split_backslash": lambda draft: " \\\n    ".join(_literals(draft, 2)),
    "split_plus": lambda draft: " + ".join(_literals(draft, 2)),
    "split_plus_many": lambda draft: " + ".join(_literals(draft, 4)),
    "split_plus_lines": lambda draft: "(" + " +\n    ".join(_literals(draft, 3)) + ")",
    "split_join_list": lambda draft: f'"".join([{", ".join(_literals(draft, 3))}])',
    "split_join_tuple": lambda draft: f"''.join(({', '.join(_literals(draft, 2))}))",
    "split_fstring_literals": lambda draft: 'f"{' + "}{".join(_literals_other(draft)) + '}"',
    "split_bytes_adjacent": lambda draft: "(" + " ".join(_literals(draft, 2, "b")) + ").decode()",
    "split_bytes_plus": lambda draft: "(" + " + ".join(_literals(draft, 2, "b")) + ").decode()",
    "split_format": lambda draft: '"{}{}".format(' + ", ".join(_literals(draft, 2)) + ")",
    "split_percent": lambda draft: '"%s%s" % (' + ", ".join(_literals(draft, 2)) + ")",
    "split_mixed_prefixes": lambda draft: " ".join(
        prefix + literal for prefix, literal in zip(("r", "f", ""), _literals(draft, 3), strict=True)
    ),
}


def _literals_other(draft: Draft) -> list[str]:
    return [quoted(part, "'") for part in cut(draft, 2)]


def _expression(name: str, make: Callable[[Draft], str]) -> None:
    @place(name, whole=True)
    def build(draft: Draft) -> Notebook:
        made = make(draft)
        if draft.rng.random() < 0.5:
            return draft.notebook(draft.code(f"{draft.credential.name} = {made}"))
        return draft.notebook(draft.code(draft.call(made)))


for _name, _make in _EXPRESSIONS.items():
    _expression(_name, _make)


@place("split_variables_plus", whole=True)
def _variables(draft: Draft) -> Notebook:
    first, second = cut(draft, 2)
    code = f"a = {quoted(first)}\nb = {quoted(second)}\n{draft.credential.name} = a + b"
    return draft.notebook(draft.code(code))


@place("split_variables_fstring", whole=True)
def _variables_fstring(draft: Draft) -> Notebook:
    first, second = cut(draft, 2)
    code = f"head = {quoted(first)}\ntail = {quoted(second)}\n" + draft.call('f"{head}{tail}"')
    return draft.notebook(draft.code(code))


@place("split_augmented", whole=True)
def _augmented(draft: Draft) -> Notebook:
    first, second = cut(draft, 2)
    name = draft.credential.name
    return draft.notebook(draft.code(f"{name} = {quoted(first)}\n{name} += {quoted(second)}"))


@place("split_across_cells", whole=True)
def _cells(draft: Draft) -> Notebook:
    first, second = cut(draft, 2)
    cells = draft.code(f"part1 = {quoted(first)}"), draft.code(f"part2 = {quoted(second)}")
    return draft.notebook(*cells, draft.code(draft.call("part1 + part2")))


@place("split_environment", whole=True)
def _environment(draft: Draft) -> Notebook:
    first, second = cut(draft, 2)
    return draft.notebook(draft.code(f"os.environ['{draft.env}'] = {quoted(first)} + {quoted(second)}"))
