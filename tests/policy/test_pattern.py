from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.policy.pattern import MAX_REPEAT, MAX_WAYS, PatternError, join_patterns


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"WAF-[0-9]{4,8}", "see WAF-20391."),
        (r"\bPROJ-\d+\b", "PROJ-7"),
        (r"(?:alpha|beta)-run", "beta-run"),
        (r"lot\.[A-Z]{2}[0-9]*", "lot.AB"),
        (r"[]\[x]{4}", "x[]x"),
    ],
)
def test_an_ordinary_pattern_finds_what_it_should(pattern: str, text: str) -> None:
    assert re.search(join_patterns([pattern]), text)


def test_several_patterns_become_one() -> None:
    joined = re.compile(join_patterns(["lot-[0-9]{4}", "wafer|chip_[a-z]{3}"]))
    assert [match.group() for match in joined.finditer("lot-1234 chip_abc wafer")] == ["lot-1234", "chip_abc", "wafer"]


def test_an_open_repeat_gets_an_end() -> None:
    longest = re.compile(join_patterns(["lot-[0-9]+"])).match("lot-" + "1" * 1000)
    assert longest
    assert len(longest.group()) == len("lot-") + MAX_REPEAT


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(?:a+)+bcde", "more than"),
        ("(?:a|aa)+bcde", "ways"),
        ("[a-z]*[a-z]*[a-z]*bcde", "ways"),
        ("(?:(?:a{0,9}){0,999}){0,999}bcde", "more than"),
        ("(a)bcd", "write `(?:…)`"),
        ("(?=abcd)", "write `(?:…)`"),
        (r"abcd\1", "is not allowed"),
        ("abcd+?", "lazy"),
        ("abcd++", "lazy"),
        ("^abcd", "anchor"),
        ("abc", "fewer than 4"),
        ("abcd|", "fewer than 4"),
        ("*abcd", "nothing to repeat"),
        ("[abcd", "not closed"),
        ("(?:abcd", "not closed"),
        ("abcd)", "unbalanced"),
        ("ab[d-a]cd", "not a regular expression"),
        ("ab[[x]cd", "backslash"),
        ("abcd{3,1}", "wrong way round"),
        ("abcd\\", "not allowed"),
        ("(?:" * 12 + "abcd" + ")" * 12, "nested deeper"),
        ("a" * 501, "longer than"),
    ],
)
def test_what_could_take_long_or_is_unclear_is_refused_with_the_reason(pattern: str, why: str) -> None:
    with pytest.raises(PatternError) as caught:
        join_patterns([pattern])
    assert why in str(caught.value)


def test_the_limit_holds_for_all_patterns_together() -> None:
    single = "[a-z]+-[0-9]+-x"
    with pytest.raises(PatternError, match=f"more than {MAX_WAYS}"):
        join_patterns([single, single, single])


def test_the_bad_one_of_several_is_named() -> None:
    with pytest.raises(PatternError, match="pattern 2: "):
        join_patterns(["abcd", "(x)"])


def test_the_worst_pattern_that_is_allowed_stays_cheap_on_the_worst_text() -> None:
    worst = re.compile(join_patterns(["[a-z]+[a-z]+-xy"]))
    start = time.process_time()
    assert not worst.search("a" * 2000)
    assert time.process_time() - start < 5


@given(st.text(alphabet=st.sampled_from(r"ab|()[]{}?*+\.^$-0,:d"), max_size=30))
def test_checking_is_total_and_what_passes_compiles(pattern: str) -> None:
    try:
        joined = join_patterns([pattern])
    except PatternError:
        return
    assert re.compile(joined).fullmatch("") is None
