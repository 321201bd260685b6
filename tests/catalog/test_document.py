from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.catalog.document import Document
from jupyter_qguard.errors import GuardFailureError

KEYS = st.text("abcdefghij_", min_size=1, max_size=8).filter(lambda key: key not in ("y", "n"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(st.characters(exclude_categories=["C"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(KEYS, VALUES, min_size=1))
def test_what_yaml_wrote_is_read_back(data: dict[str, object]) -> None:
    written = yaml.safe_dump(data, allow_unicode=True, default_flow_style=None)
    # PyYAML writes a list or mapping that occurs twice once, with an alias, which the catalogue refuses.
    if "&id0" not in written:
        assert Document("a.yaml", written.encode()).data == data


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.yaml: the file is empty"),
        (b"# nothing\n", "a.yaml: the file is empty"),
        (b"a: 1\n---\nb: 2\n", "a.yaml:2: not valid YAML: but found another document"),
        (b"a: [1, 2\nb: 3\n", "a.yaml:2: not valid YAML: did not find expected ',' or ']'"),
        (b"a:\n\t- 1\n", "a.yaml:2: not valid YAML: found character that cannot start any token"),
        (b"a: \xff\xfe\n", "a.yaml: not valid YAML: the file is not readable as UTF-8 text"),
        (b"a: 1\nb: 2\na: 3\n", "a.yaml:3: the key `a` stands twice"),
        (b"rules:\n  - x: {id: 1, id: 2}\n", "a.yaml:2: the key `id` stands twice"),
        (b"a: &x [1]\nb: *x\n", "a.yaml:1: anchors and aliases are not allowed: write the value out"),
        (b"a: 1\nb: yes\n", "a.yaml:2: `yes` would be read as bool: put it in quotes"),
        (b"a: ~\n", "a.yaml:1: `~` would be read as null: put it in quotes"),
        (b"a:\n", "a.yaml:1: `` would be read as null: put it in quotes"),
        (b"a: 0.5\n", "a.yaml:1: `0.5` would be read as float: put it in quotes"),
        (b"a: 2026-11-24\n", "a.yaml:1: `2026-11-24` would be read as timestamp: put it in quotes"),
        (b"a: 0o17\nb: 017\n", "a.yaml:2: `017` would be read as int: put it in quotes"),
        (b"1: a\n", "a.yaml:1: a key must be text"),
        (b"? [a]\n: b\n", "a.yaml:1: a key must be text"),
        (b"<<: {a: 1}\n", "a.yaml:1: a key must be text"),
        (b"a: !!python/object/apply:os.getcwd []\n", None),
        (b"a: !!binary aGk=\n", "a.yaml:1: `aGk=` would be read as binary: put it in quotes"),
    ],
)
def test_more_of_yaml_than_the_catalogue_needs_is_refused(content: bytes, message: str | None) -> None:
    if message is None:
        # A tag on a list is never looked at, so nothing is run and the list stays a list.
        assert Document("a.yaml", content).data == {"a": []}
        return
    with pytest.raises(GuardFailureError) as caught:
        Document("a.yaml", content)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("$", 1),
        ("$.id", 1),
        ("$.rules", 2),
        ("$.rules[0]", 3),
        ("$.rules[0].calls[1]", 6),
        ("$.rules[0].calls[1].name", 6),
        ("$.rules[1].id", 7),
        ("$.rules[9].id", 2),
        ("$.rules[0].missing", 3),
        ("$.missing.id", 1),
    ],
)
def test_a_path_leads_to_its_line_or_the_nearest_around_it(path: str, line: int) -> None:
    content = b"id: a\nrules:\n  - id: b\n    calls:\n      - name: c\n      - name: d\n  - id: e\n"
    assert Document("a.yaml", content).line(path) == line
