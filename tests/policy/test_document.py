from __future__ import annotations

import pytest

from jupyter_qguard.policy.document import MAX_BYTES, InvalidPolicyError, PolicyText, dotted, shown


def problem(text: str) -> str:
    with pytest.raises(InvalidPolicyError) as caught:
        PolicyText(text, "policy.yaml")
    return str(caught.value)


def test_data_and_lines_come_from_the_same_place() -> None:
    document = PolicyText("a: 1\nb:\n  - x: true\n    y: 2027-01-31\n  - 'text'\n", "policy.yaml")
    assert document.data == {"a": 1, "b": [{"x": True, "y": "2027-01-31"}, "text"]}
    assert document.line(("b", 0, "y")) == 4
    assert document.line(("b", 1)) == 5
    assert document.line(("b", 7, "nowhere")) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "policy.yaml:1: the file is empty"),
        ("# only a comment\n", "the file is empty"),
        ("a: [\n", "policy.yaml:2: not valid YAML"),
        ("a: 1\n---\nb: 2\n", "policy.yaml:2: not valid YAML"),
        ("a: 1\na: 2\n", "policy.yaml:2: the key `a` stands twice, first on line 1"),
        ("a: &x 1\nb: *x\n", "policy.yaml:1: anchors and aliases are not allowed"),
        ("1: a\n", "a key must be text"),
        ("? [a]\n: b\n", "a key must be text"),
        ("a: {<<: {b: 1}}\n", "a key must be text"),
        ("a: yes\n", "policy.yaml:1: a: write `true` or `false`"),
        ("a: 1.5\n", "would be read as a float"),
        ("a: 0x1F\n", "would be read as a int"),
        ("a: 12:30:00\n", "would be read as a int"),
        ("a: 2027-01-31 10:00:00\n", "would be read as a timestamp"),
        ("a: !!python/name:os.system x\n", "tags are not allowed"),
        ("a: !own x\n", "tags are not allowed"),
        ("a: \x01\n", "not valid YAML"),
        ("a: \udcff\n", "not valid UTF-8"),
        ("[" * 2000, "nested too deep"),
        ("{a: " * 30, "nested too deep"),
        ("a: [" + "1," * 60_000 + "]", "too long for a policy"),
        ("#" * (MAX_BYTES + 1), "larger than 1 MiB"),
        ("# " + "é" * (MAX_BYTES // 2), "larger than 1 MiB"),
    ],
)
def test_what_a_policy_may_not_use_is_an_error_with_its_line(text: str, expected: str) -> None:
    assert expected in problem(text)


def test_a_billion_laughs_cost_nothing() -> None:
    laughs = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    assert "anchors and aliases" in problem(laughs)


def test_names_in_messages_are_short_and_printable() -> None:
    assert shown("a\x1b[31m`b") == "a?[31m?b"
    assert len(shown("x" * 1000)) < 50
    assert dotted(("egress", "allow", 0, "host")) == "egress.allow[0].host"
