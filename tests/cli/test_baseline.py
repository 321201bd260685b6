"""Baselines on the command line: what they accept, until when, and what they never hold."""

from __future__ import annotations

import base64
import datetime as dt
import json

import pytest

from tests.server.planted import line, make_secret


@pytest.fixture
def secret(work):
    secret = make_secret("baseline")
    (work / "a.log").write_text(line(secret))
    return secret


def entries(work) -> list[dict]:
    return json.loads((work / "b.json").read_text())["entries"]


def change(work, **fields) -> None:
    document = json.loads((work / "b.json").read_text())
    document["entries"] = [entry | fields for entry in document["entries"]]
    (work / "b.json").write_text(json.dumps(document))


def test_an_entry_counts_again_from_the_day_it_expires(run, work, secret):
    run("scan", "a.log", "--update-baseline", "b.json")
    today = dt.datetime.now(tz=dt.timezone.utc).date()
    change(work, expires=str(today + dt.timedelta(days=1)), reason="workshop", owner="ada")
    accepted = json.loads(run("scan", "a.log", "--baseline", "b.json", "--format", "json").stdout)
    assert (accepted["findings"], accepted["suppressed"]) == ([], {"baseline": 1})
    change(work, expires=str(today))
    assert run("scan", "a.log", "--baseline", "b.json").returncode == 1
    assert run("scan", "a.log", "--update-baseline", "b.json").returncode == 1
    (entry,) = entries(work)
    assert (entry["reason"], entry["owner"], entry["expires"]) == ("workshop", "ada", str(today))
    assert secret not in (work / "b.json").read_text()


def test_fingerprints_are_keyed_by_the_file(run, work, secret):
    run("scan", "a.log", "--update-baseline", "b.json")
    run("scan", "a.log", "--update-baseline", "c.json")
    first, second = (json.loads((work / name).read_text()) for name in ("b.json", "c.json"))
    assert len(base64.b64decode(first["key"])) == 32
    assert first["key"] != second["key"]
    assert first["entries"][0]["fingerprint"] != second["entries"][0]["fingerprint"]
    (work / "b.json").write_text(json.dumps({**first, "key": second["key"]}))
    assert run("scan", "a.log", "--baseline", "b.json").returncode == 1
    plain = [json.loads(run("scan", "a.log", "--format", "json").stdout)["findings"][0] for _ in range(2)]
    assert plain[0]["fingerprint"] != plain[1]["fingerprint"]
    assert secret


def test_moving_the_line_or_the_file_is_no_new_finding_and_another_value_is(run, work, secret):
    run("scan", "a.log", "--update-baseline", "b.json")
    (work / "a.log").unlink()
    (work / "moved.log").write_text("x = 1\n\n" + line(secret))
    assert run("scan", ".", "--baseline", "b.json").returncode == 0
    (work / "moved.log").write_text(line(make_secret("another")))
    assert run("scan", ".", "--baseline", "b.json").returncode == 1


def test_an_update_drops_what_is_gone_and_keeps_what_was_not_looked_at(run, work, secret):
    (work / "b.log").write_text(line(make_secret("second")))
    (work / "c.ipynb").write_text(
        '{"cells": [{"cell_type": "raw", "source": "' + line(make_secret("third"))[:-1] + '"}]}'
    )
    run("scan", ".", "--update-baseline", "b.json")
    assert {entry["path"] for entry in entries(work)} == {"a.log", "b.log", "c.ipynb"}
    (work / "a.log").write_text("x = 1\n")
    (work / "c.ipynb").write_text("{")
    run("scan", "a.log", "c.ipynb", "--update-baseline", "b.json")
    assert {entry["path"] for entry in entries(work)} == {"b.log", "c.ipynb"}  # c.ipynb could not be read
    assert secret


def test_a_new_baseline_takes_over_the_one_to_go_by(run, work, secret):
    run("scan", "a.log", "--update-baseline", "b.json")
    change(work, reason="workshop")
    (work / "b.json").rename(work / "old.json")
    run("scan", "a.log", "--baseline", "old.json", "--update-baseline", "b.json")
    assert [entry["reason"] for entry in entries(work)] == ["workshop"]
    assert secret


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize(("severity", "code"), [("info", 1), ("medium", 1), ("high", 1), ("critical", None)])
def test_the_lowest_severity_that_counts(run, severity, code):
    report = json.loads(run("scan", "a.log", "--format", "json").stdout)
    critical = report["findings"][0]["severity"] == "critical"
    assert run("scan", "a.log", "--fail-on", severity).returncode == (int(critical) if code is None else code)


@pytest.mark.usefixtures("secret")
def test_a_severity_or_a_baseline_that_is_none_is_a_usage_error(run):
    assert run("scan", "a.log", "--fail-on", "awful").returncode == 2
    done = run("scan", "a.log", "--baseline", "missing.json")
    assert done.returncode == 2
    assert b"missing.json" in done.stderr
