"""Entries under ``files``: what they may say."""

from __future__ import annotations

import datetime as dt

import pytest

from jupyter_qguard.errors import PolicyError
from jupyter_qguard.policy.explain import explain_policy
from jupyter_qguard.policy.model import FileAccess
from jupyter_qguard.policy.parse import parse_policy, parse_tightening

OPENED = "owner: lab, reason: shared data, expires: 2027-01-31"


def files(*entries: str) -> str:
    return "apiVersion: qguard/v1\nfiles:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)


def test_an_entry_says_what_kernels_see_and_where_it_stands():
    text = files("path: ~/secret, access: hidden", f"path: /srv/data, access: read_write, {OPENED}")
    first, second = parse_policy(text, "p.yaml").files
    assert (first.path, first.access, first.where) == ("~/secret", FileAccess.HIDDEN, "p.yaml:3")
    assert (second.access, second.expires) == (FileAccess.READ_WRITE, dt.date(2027, 1, 31))
    said = [
        each.text
        for each in explain_policy(parse_policy(text, "p"), dt.date(2027, 2, 1))
        if each.key.startswith("files[")
    ]
    assert said == ["~/secret is hidden from kernels.", "/srv/data was writable until 2027-01-31: it is no more."]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("path: data, access: hidden", "absolute path"),
        ("path: ~eve/data, access: hidden", "absolute path"),
        ("path: /srv/../etc, access: hidden", "absolute path"),
        ("path: /, access: hidden", "below the root"),
        ("path: ~/, access: read_only", "below the root"),
        ('path: "/srv/*", access: hidden', "without patterns"),
        ("path: /srv, access: read_write", "needs `owner`, `reason` and `expires`"),
        ("path: /srv, access: read_write, owner: a, reason: b", "needs `owner`, `reason` and `expires`"),
        ("path: /srv, access: writable", "allowed: hidden, read_only, read_write"),
        ("path: /srv", "missing: `access`"),
    ],
)
def test_what_cannot_be_meant_is_an_error(entry, problem):
    with pytest.raises(PolicyError, match=problem):
        parse_policy(files(entry), "p.yaml")


def test_beside_a_floor_a_user_has_no_entries():
    floor = parse_policy("apiVersion: qguard/v1\n", "floor")
    with pytest.raises(PolicyError, match="administrator"):
        parse_tightening(files("path: /srv, access: hidden"), "p.yaml", floor)
