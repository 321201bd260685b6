"""What the policy says happens: block, redact or warn by place, observe, and the strictest where it is invalid."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest

from tests.e2e.test_save_overrides import OVERRIDES, records, refused
from tests.server.harness import JupyterServer
from tests.server.listener import EventListener
from tests.server.planted import code, in_output, in_source, line, make_secret, notebook, stream

pytestmark = pytest.mark.e2e


def policy(**scan: str) -> str:
    return f"apiVersion: qguard/v1\nscan: {json.dumps(scan)}\n"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    server = JupyterServer(tmp_path_factory.mktemp("policy"), policy=policy())
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def server(started: JupyterServer) -> JupyterServer:
    """The server under the starting policy: an edit of the file holds from the next save on."""
    started.policy_file.write_text(policy())
    assert started.status()["mode"] == "enforce"
    return started


def written(server: JupyterServer, path: str) -> str:
    return (server.root / path).read_text()


def test_redacted_code_is_valid_and_the_client_is_told(server: JupyterServer) -> None:
    secret = make_secret("redacted code")
    server.policy_file.write_text(policy(source="redact", text_files="redact"))
    saved = server.save("n.ipynb", in_source(secret))
    assert saved.status == 201
    assert saved.json["qguard"] == {"id": saved.json["qguard"]["id"], "outcome": "redacted", "count": 1}
    nbformat.validate(json.loads(written(server, "n.ipynb")))
    assert "[redacted:ibm-quantum-api-key]" in written(server, "n.ipynb")
    assert server.save("n.env", "A=1\n" + line(secret)).json["qguard"]["outcome"] == "redacted"
    assert written(server, "n.env") == "A=1\nQISKIT_IBM_TOKEN=[redacted:ibm-quantum-api-key]\n"
    assert server.leaks(secret) == []


def test_redaction_leaves_all_else_as_it_was(server: JupyterServer) -> None:
    secret = make_secret("all else")
    document = notebook(
        code("print(1)", stream(f"a\n{line(secret)}b\n")), code("ü\u2028\x0b", number=1), extra=[1.0, None]
    )
    assert server.save("else.ipynb", document).status == 201
    text = written(server, "else.ipynb").replace("[redacted:ibm-quantum-api-key]", secret)
    expected = json.dumps(document, ensure_ascii=False)
    again = nbformat.reads(text, as_version=4)
    assert json.dumps(again, ensure_ascii=False, sort_keys=True) == json.dumps(
        json.loads(expected), ensure_ascii=False, sort_keys=True
    )


def test_a_warning_lets_through_and_is_told_and_recorded(server: JupyterServer) -> None:
    secret = make_secret("warned")
    server.policy_file.write_text(policy(source="warn"))
    with EventListener(server) as listener:
        saved = server.save("w.ipynb", in_source(secret))
        listener.wait_for(path="w.ipynb", outcome="warned")
    assert (saved.status, saved.json["qguard"]["outcome"]) == (201, "warned")
    assert secret in written(server, "w.ipynb")
    assert [record["data"]["action"] for record in records(server) if record.get("notebook") == "w.ipynb"] == ["warn"]
    server.policy_file.write_text(policy())
    assert server.request("POST", "/api/contents/w.ipynb/checkpoints").status == 422


def test_observing_writes_and_records_what_would_have_been(server: JupyterServer) -> None:
    secret = make_secret("observed")
    server.policy_file.write_text(policy(mode="observe"))
    assert server.save("obs.ipynb", in_source(secret)).status == 201
    assert secret in written(server, "obs.ipynb")
    (record,) = [record for record in records(server) if record.get("notebook") == "obs.ipynb"]
    assert record["data"]["would"] == "block"
    server.policy_file.write_text(policy())
    assert server.save("obs.ipynb", in_source(secret)).status == 422


def test_what_is_classified_by_the_policy_is_acted_on(server: JupyterServer) -> None:
    own = {"class": "confidential", "patterns": ["PRJ-[0-9]{4}"], "description": "A project number."}
    server.policy_file.write_text(policy() + f"classify: {json.dumps({'project': own})}\n")
    document = notebook(code("print()", stream("PRJ-4711\n")))
    assert server.save("p.ipynb", document).json["qguard"]["outcome"] == "redacted"
    assert "PRJ-4711" not in written(server, "p.ipynb")
    document["metadata"]["qguard"] = {"classification": "restricted"}
    assert "qguard" not in server.save("p.ipynb", document).json
    assert "PRJ-4711" in written(server, "p.ipynb")
    server.policy_file.write_text(policy())
    assert "qguard" not in server.save("p.ipynb", notebook(code("print()", stream("PRJ-4711\n")))).json


INVALID = ["", "scan: [", "apiVersion: qguard/v1\nscan: {source: allow}\n", "apiVersion: qguard/v2\n"]


@pytest.mark.parametrize("text", INVALID)
def test_an_edit_that_is_invalid_leaves_the_policy_in_force_and_is_told(server: JupyterServer, text: str) -> None:
    secret = make_secret("edit")
    server.policy_file.write_text(policy(output="block"))
    assert server.save("e.ipynb", in_output(secret)).status == 422
    with EventListener(server) as listener:
        server.policy_file.write_text(text)
        assert server.save("e.ipynb", in_output(secret)).status == 422
        listener.wait_for(kind="policy")
    assert any("invalid" in notice for notice in server.status()["notices"])
    server.policy_file.unlink()
    assert server.save("e.ipynb", in_output(secret)).status == 422
    assert any("stays in force" in notice for notice in server.status()["notices"])
    assert server.leaks(secret) == []


@pytest.fixture(scope="module")
def strictest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """A server that started on an invalid policy."""
    server = JupyterServer(tmp_path_factory.mktemp("strictest"), policy=INVALID[1])
    try:
        yield server.start()
    finally:
        server.stop()


def test_a_server_that_starts_on_an_invalid_policy_blocks_everything(strictest: JupyterServer) -> None:
    secret = make_secret("strictest")
    assert strictest.status()["strictest"]
    assert "policy.yaml" in str(strictest.status()["notices"])
    assert strictest.save("s.ipynb", in_output(secret)).status == 422
    assert strictest.save("m.ipynb", notebook(code("1"), note=line(secret))).status == 422
    assert strictest.save("clean.ipynb", notebook(code("1"))).status == 201
    assert strictest.leaks(secret) == []


def test_there_an_override_needs_a_fresh_proof_of_the_person(strictest: JupyterServer) -> None:
    """Script in an output acts in the user's session, but does not know the token."""
    identifier = refused(strictest, "o.env", line(make_secret("proof")))
    body: dict[str, Any] = {"id": identifier, "reason": "r"}
    terms = strictest.request("GET", f"/qguard/api/v1/findings/{identifier}").json["override"]
    assert terms == {"seconds": 600, "proof": True}
    assert strictest.request("POST", OVERRIDES, body).status == 403
    assert strictest.request("POST", OVERRIDES, {**body, "proof": make_secret("no token")}).status == 403
    assert strictest.save("o.env", line(make_secret("proof"))).status == 422
    assert strictest.request("POST", OVERRIDES, {**body, "proof": strictest.token}).status == 201
    assert strictest.save("o.env", line(make_secret("proof"))).status == 201
    assert strictest.token not in str(records(strictest))
