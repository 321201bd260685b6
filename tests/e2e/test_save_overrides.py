"""A person lets a refused save through, for a reason on record; and what an override does not open."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.harness import JupyterServer
from tests.server.listener import EventListener
from tests.server.planted import call, code, in_output, in_source, line, make_secret, notebook

pytestmark = pytest.mark.e2e
OVERRIDES = "/qguard/api/v1/overrides"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    started = JupyterServer(tmp_path_factory.mktemp("overrides"))
    try:
        yield started.start()
    finally:
        started.stop()


def refused(server: JupyterServer, path: str, content: Any) -> str:
    reply = server.save(path, content)
    assert reply.status == 422
    found = re.search(r"\[qg:([0-9a-f]{16})\]$", reply.message)
    assert found, reply.message
    return found[1]


def records(server: JupyterServer) -> list[dict[str, Any]]:
    folder = server.home / "state" / "jupyter-qguard" / "audit"
    return [json.loads(text) for file in sorted(folder.glob("audit-*.jsonl")) for text in file.read_text().splitlines()]


def test_a_refusal_says_what_and_where_and_that_nothing_is_lost(server: JupyterServer) -> None:
    reply = server.save("said.ipynb", notebook(code("1"), code(call(make_secret("said")), number=1)))
    assert reply.status == 422
    for words in ("said.ipynb was not saved", "API key", "cell 2, source, line 2", "nothing is lost", "save anyway"):
        assert words in reply.message


def test_findings_are_shown_masked(server: JupyterServer) -> None:
    secret = make_secret("masked")
    identifier = refused(server, "masked.ipynb", in_source(secret))
    answer = server.request("GET", f"/qguard/api/v1/findings/{identifier}")
    (finding,) = answer.json["findings"]
    assert finding["cell"] == {"index": 0, "id": "cell-0", "type": "code"}
    assert finding["pointer"] == "/cells/0/source"
    start, end = finding["spans"][0]
    assert call(secret)[start:end] == secret
    shown = finding["preview"].replace("…", "")
    assert len(shown) <= 4
    assert not any(secret[at : at + 5] in answer.body.decode() for at in range(len(secret) - 4))
    assert answer.json["override"] == {"seconds": 600, "proof": False}


def test_an_override_covers_save_checkpoint_and_autosave(server: JupyterServer) -> None:
    secret = make_secret("covers")
    identifier = refused(server, "covers.ipynb", in_source(secret))
    granted = server.request("POST", OVERRIDES, {"id": identifier, "reason": "expired test key"})
    assert granted.status == 201, granted.body
    saved = server.save("covers.ipynb", in_source(secret))
    assert saved.status == 201, saved.body
    assert saved.json["qguard"]["outcome"] == "overridden"
    assert server.request("POST", "/api/contents/covers.ipynb/checkpoints").status == 201
    assert server.save("covers.ipynb", in_source(secret)).status == 200
    assert len(server.leaks(secret)) == 2  # the notebook and its checkpoint
    (grant,) = [
        record
        for record in records(server)
        if record["data"].get("override") == identifier and "until" in record["data"]
    ]
    assert grant["type"].endswith("override.granted")
    assert grant["data"]["reason"] == "expired test key"


def test_an_override_is_bound_to_its_path(server: JupyterServer) -> None:
    secret = make_secret("path")
    identifier = refused(server, "here.ipynb", in_source(secret))
    assert server.request("POST", OVERRIDES, {"id": identifier, "reason": "r"}).status == 201
    assert server.save("there.ipynb", in_source(secret)).status == 422
    assert server.leaks(secret) == []


def test_an_override_does_not_cover_another_secret(server: JupyterServer) -> None:
    first, second = make_secret("first"), make_secret("second")
    identifier = refused(server, "bound.ipynb", in_source(first))
    assert server.request("POST", OVERRIDES, {"id": identifier, "reason": "r"}).status == 201
    both = notebook(code(call(first)), code(call(second), number=1))
    assert server.save("bound.ipynb", both).status == 422
    assert server.leaks(first) == []


def test_what_is_redacted_stays_redacted_under_an_override(server: JupyterServer) -> None:
    source, output = make_secret("override source"), make_secret("override output")
    document = notebook(*in_source(source)["cells"], {**in_output(output)["cells"][0], "id": "other"})
    identifier = refused(server, "mixed.ipynb", document)
    assert server.request("POST", OVERRIDES, {"id": identifier, "reason": "r"}).status == 201
    assert server.save("mixed.ipynb", document).status == 201
    assert server.leaks(source)
    assert server.leaks(output) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"id": "0" * 16, "reason": "r"}, 409),
        ({"id": "0" * 16, "reason": ""}, 400),
        ({"id": "0" * 16}, 400),
        ({"id": "../../etc", "reason": "r"}, 400),
        ({"id": "0" * 16, "reason": "r", "fingerprints": ["a"]}, 400),
        ({"id": 7, "reason": "r"}, 400),
        ([], 400),
        (b"\xff\xfe", 400),
        (b"", 400),
    ],
)
def test_a_body_that_is_not_as_it_must_be_grants_nothing(server: JupyterServer, body: Any, status: int) -> None:
    assert server.request("POST", OVERRIDES, body).status == status


def test_a_reason_of_blanks_grants_nothing(server: JupyterServer) -> None:
    identifier = refused(server, "blank.ipynb", in_source(make_secret("blank")))
    assert server.request("POST", OVERRIDES, {"id": identifier, "reason": " \n"}).status == 409


@pytest.mark.parametrize("path", ["status", "policy", f"findings/{'0' * 16}", "overrides", "scan"])
def test_nobody_without_the_token_is_answered(server: JupyterServer, path: str) -> None:
    for method in ("GET", "POST"):
        reply = server.request(method, f"/qguard/api/v1/{path}", {} if method == "POST" else None, token=False)
        assert reply.status in (403, 405)
        assert b"mode" not in reply.body


def test_a_page_of_elsewhere_cannot_grant(server: JupyterServer) -> None:
    """A request with the cookie of a session, but without its XSRF token."""
    identifier = refused(server, "xsrf.ipynb", in_source(make_secret("xsrf")))
    entered = server.request("GET", f"/api/status?token={server.token}", token=False)
    cookie = entered.headers["set-cookie"].split(";")[0]
    assert server.request("GET", "/qguard/api/v1/status", headers={"Cookie": cookie}, token=False).status == 200
    body = {"id": identifier, "reason": "r"}
    assert server.request("POST", OVERRIDES, body, headers={"Cookie": cookie}, token=False).status == 403


def test_events_tell_what_happened_and_hold_no_secret(server: JupyterServer) -> None:
    secret = make_secret("events")
    with EventListener(server) as listener:
        server.save("event.ipynb", in_source(secret))
        event = listener.wait_for(path="event.ipynb", outcome="refused")
        server.save("event.ipynb", in_output(secret))
        listener.wait_for(path="event.ipynb", outcome="redacted")
        server.save("broken.ipynb", "{")
        listener.wait_for(path="broken.ipynb", kind="unreadable")
    assert event["findings"][0]["where"] == "cell 1, source, line 2"
    assert secret not in json.dumps(event)


def test_a_scan_of_the_editor_says_what_a_save_would_do(server: JupyterServer) -> None:
    secret = make_secret("scan")
    answer = server.request("POST", "/qguard/api/v1/scan", {"type": "notebook", "content": in_output(secret)}).json
    assert answer["action"] == "redact"
    assert [finding["action"] for finding in answer["findings"]] == ["redact"]
    text = server.request("POST", "/qguard/api/v1/scan", {"type": "text", "content": line(secret)}).json
    assert text["action"] == "block"
    assert server.request("POST", "/qguard/api/v1/scan", {"type": "notebook", "content": {"cells": 1}}).status == 422
    assert server.request("POST", "/qguard/api/v1/scan", {"type": "text", "content": "a", "mode": "off"}).status == 400


def test_the_policy_is_shown_without_what_is_secret(server: JupyterServer) -> None:
    answer = server.request("GET", "/qguard/api/v1/policy").json
    assert answer["scan"] == {"source": "block", "output": "redact", "metadata": "redact", "text_files": "block"}
    assert "access" not in answer
