from __future__ import annotations

import re
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.catalog.shape import bounded

DEFAULT = "A-Za-z0-9_"


@pytest.mark.parametrize(
    ("shape", "problem"),
    [
        ("^[a-z]{8}", "the anchor `^`"),
        ("[a-z]{8}$", "the anchor `$`"),
        (r"\b[a-z]{8}", r"the escape `\b`"),
        (r"\A[a-z]{8}", r"the escape `\A`"),
        (r"[a-z]{8}\Z", r"the escape `\Z`"),
        (r"(?:a)(?:b)\1", r"the escape `\1`"),
        (r"\p{Lu}{8}", r"the escape `\p`"),
        ("([a-z]{8})", "a capturing group"),
        ("(?P<key>[a-z]{8})", "`(?P`: flags, names and look-around are not allowed"),
        ("(?=a)[a-z]{8}", "`(?=`: flags, names and look-around are not allowed"),
        ("(?!a)[a-z]{8}", "`(?!`: flags, names and look-around are not allowed"),
        ("(?<=a)[a-z]{8}", "`(?<`: flags, names and look-around are not allowed"),
        ("(?<!a)[a-z]{8}", "`(?<`: flags, names and look-around are not allowed"),
        ("(?>a)[a-z]{8}", "`(?>`: flags, names and look-around are not allowed"),
        ("(?i)[a-z]{8}", "`(?i`: flags, names and look-around are not allowed"),
        ("(?#x)[a-z]{8}", "`(?#`: flags, names and look-around are not allowed"),
        ("[a-z]+?b", "the lazy or possessive repeat `+?`"),
        ("[a-z]*+b", "the lazy or possessive repeat `*+`"),
        ("[a-z]{2,4}?b", "the lazy or possessive repeat `{2,4}?`"),
        ("[a-z&&[aeiou]]{8}", "`[`, `&&`, `--`, `~~` and `||` inside of it must be escaped"),
        ("[a-z[]{8}", "`[`, `&&`, `--`, `~~` and `||` inside of it must be escaped"),
        ("[a-z", "shape is not a regular expression: unterminated character set"),
        ("[z-a]{8}", "shape is not a regular expression: bad character range z-a"),
        ("a{3,2}", "shape is not a regular expression: min repeat greater than max repeat"),
        ("a{99999999999999999999}", "shape is not a regular expression: the repetition number is too large"),
        ("[a-z]*", "shape matches the empty string"),
        ("", "shape matches the empty string"),
        ("(?:ab)?", "shape matches the empty string"),
    ],
)
def test_a_shape_that_engines_would_read_differently_is_refused(shape: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        bounded(shape, DEFAULT)


@pytest.mark.parametrize(
    "shape", [r"[$^]{8}", r"\$\^\(x\)\.", r"[]a]{4}", r"[^\s\"']{8}", r"(?:a|b){4}\d\w\s", r"[\[\]]{2}"]
)
def test_what_looks_forbidden_but_is_escaped_or_in_a_class_is_allowed(shape: str) -> None:
    assert bounded(shape, DEFAULT).groups == 0


@pytest.mark.parametrize("boundary", ["", "a]b", "^a", "[a", "a\\", "a b", "&&", "a--b", "\\w"])
def test_a_boundary_is_the_inside_of_a_class(boundary: str) -> None:
    with pytest.raises(ValueError, match="is not the inside of a character class"):
        bounded("[a-z]{8}", boundary)


def test_nothing_of_the_boundary_may_stand_beside_the_shape() -> None:
    pattern = bounded("[0-9a-f]{8}", "A-Za-z0-9_-")
    assert pattern.findall("=0123abcd; x0123abcd -89abcdef 89abcdef.") == ["0123abcd", "89abcdef"]


@given(
    st.text(alphabet=r"ab09[](){}?*+|\^$.:-&~<!=#P,_ «", max_size=24), st.text(alphabet=r"aZ09_-[]\^&~.", max_size=8)
)
def test_any_text_is_a_shape_or_a_reasoned_refusal_and_never_warns(shape: str, boundary: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            pattern = bounded(shape, boundary)
        except ValueError as error:
            assert str(error).startswith(("shape", "boundary"))  # noqa: PT017  # either outcome is right
        else:
            assert pattern.groups == 0
            assert re.fullmatch(shape, "") is None
