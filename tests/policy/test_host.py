from __future__ import annotations

import ipaddress

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from jupyter_qguard.policy.host import Host, HostError, HostPattern, normalise_host

label = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True).filter(lambda text: "--" not in text)
name = st.builds(lambda labels, last: ".".join([*labels, last]), st.lists(label, max_size=3), st.just("example"))


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.EXAMPLE", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("a。b.example", "a.b.example"),
        ("_service.example.com", "_service.example.com"),
        ("r3---sn-abc.example", "r3---sn-abc.example"),
        ("localhost", "localhost"),
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7F.0.0.1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("10.0.0.1.", "10.0.0.1"),
        ("\uff11\uff12\uff17.0.0.1", "127.0.0.1"),
        ("[2001:DB8::0:1]", "2001:db8::1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::ffff:a00:1", "10.0.0.1"),
    ],
)
def test_every_spelling_of_a_host_becomes_one(text: str, spelling: str) -> None:
    assert normalise_host(text).name == spelling


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a..b",
        "-a.example",
        "a-.example",
        "a b.example",
        "a\n.example",
        "exa%6dple.com",
        "fe80::1%eth0",
        "[::1",
        "1.2.3.4.5",
        "256.1",
        "08.1",
        "a.1",
        "a.0x1",
        "xn--a.example",
        "ex\u200bample.\u2028",
        "a" * 64,
        "a." * 127 + "aa",
        "user@example.com",
        "example.com:443",
        "\ud800.example",
        "a" * 5000,
    ],
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(HostError):
        normalise_host(text)


@given(st.text(max_size=80))
@example("ǅ.example")
@example("ß̣.example")
def test_normalising_is_total_and_happens_once(text: str) -> None:
    try:
        host = normalise_host(text)
    except HostError:
        return
    assert normalise_host(host.name) == host
    assert host.name.isascii()
    assert host.name == host.name.lower()


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_an_address_keeps_its_value(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    expected = getattr(address, "ipv4_mapped", None) or address
    assert normalise_host(str(address)) == Host(str(expected), expected)


@given(name, name)
def test_a_wildcard_matches_what_is_below_and_nothing_else(base: str, other: str) -> None:
    assume("." in base)
    pattern = HostPattern.parse(f"*.{base}")
    assert pattern.matches(normalise_host(f"a.{base}"))
    assert pattern.matches(normalise_host(f"b.a.{base}"))
    assert not pattern.matches(normalise_host(base))
    assert not pattern.matches(normalise_host(f"evil{base}"))
    assert pattern.matches(normalise_host(other)) == (other != base and other.endswith(f".{base}"))


@given(name, name)
def test_a_plain_pattern_matches_itself_alone(mine: str, other: str) -> None:
    assert HostPattern.parse(mine.upper() + ".").matches(normalise_host(mine))
    assert HostPattern.parse(mine).matches(normalise_host(other)) == (mine == other)


@given(st.text(alphabet=st.sampled_from("*.ab0-:/[]@%é"), max_size=20))
def test_parsing_a_pattern_is_total_and_its_text_reads_back(text: str) -> None:
    try:
        pattern = HostPattern.parse(text)
    except HostError:
        return
    assert HostPattern.parse(str(pattern)) == pattern


def test_an_address_is_below_no_name() -> None:
    assert not HostPattern.parse("*.example.org").matches(normalise_host("10.0.0.1"))


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("*", "name the hosts"),
        ("*.", "name the hosts"),
        ("*.*", "name the hosts"),
        ("*example.com", "`*.example.com`"),
        ("a.*.example.com", "`*.example.com`"),
        ("*.*.example.com", "`*.example.com`"),
        ("api*.example.com", "`*.example.com`"),
        (".example.com", "`*.example.com`"),
        ("*.com", "`*.example.com`"),
        ("*.10.0.0.1", "`10.0.0.1`"),
        ("https://example.com/path", "`example.com`"),
        ("example.com:8443", "`ports: [8443]`"),
    ],
)
def test_a_wrong_pattern_comes_with_the_right_spelling(text: str, advice: str) -> None:
    with pytest.raises(HostError) as caught:
        HostPattern.parse(text)
    assert advice in str(caught.value)


@pytest.mark.parametrize(
    "text", ["https://user:pa55word@example.com/", "user:pa55word@example.com", "https://u:pa55/word@h"]
)
def test_a_password_in_an_address_is_not_repeated(text: str) -> None:
    with pytest.raises(HostError) as caught:
        HostPattern.parse(text)
    assert "pa55" not in str(caught.value)
