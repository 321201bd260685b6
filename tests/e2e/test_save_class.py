"""A notebook's own class: it rises freely, and falls only for a reason that is recorded."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.test_save_overrides import records
from tests.server.harness import JupyterServer, Reply
from tests.server.listener import EventListener
from tests.server.planted import as_file, call, code, make_secret, notebook

pytestmark = pytest.mark.e2e
LARGE_FILES = "jupyter_server.services.contents.largefilemanager"
MANAGERS = [f"{LARGE_FILES}.AsyncLargeFileManager", f"{LARGE_FILES}.LargeFileManager"]


@pytest.fixture(scope="module", params=MANAGERS)
def server(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[JupyterServer]:
    options = {"ServerApp.contents_manager_class": request.param}
    started = JupyterServer(tmp_path_factory.mktemp("class"), options=options, policy="apiVersion: qguard/v1\n")
    try:
        yield started.start()
    finally:
        started.stop()


def stating(classification: str | None, reason: str | None = None, source: str = "1") -> dict[str, Any]:
    given = {"classification": classification, "reason": reason}
    return notebook(code(source), qguard={name: text for name, text in given.items() if text is not None})


def on_disk(server: JupyterServer, path: str) -> Any:
    return json.loads((server.root / path).read_text())["metadata"].get("qguard", {}).get("classification")


def recorded(server: JupyterServer, path: str, count: int) -> list[tuple[str, dict[str, Any]]]:
    """Type and data of the records about *path*. A refusal is recorded a little later: waits for *count* of them."""
    end = time.monotonic() + 20
    while True:
        found = [(each["type"], each["data"]) for each in records(server) if each.get("notebook") == path]
        if len(found) >= count or time.monotonic() > end:
            return found
        time.sleep(0.05)


def upload(server: JupyterServer, path: str, document: dict[str, Any]) -> Reply:
    body = {"type": "file", "format": "base64", "content": b64encode(as_file(document).encode()).decode()}
    return server.request("PUT", f"/api/contents/{path}", body)


def in_chunks(server: JupyterServer, path: str, document: dict[str, Any]) -> Reply:
    data = as_file(document).encode()
    body = {"type": "file", "format": "base64"}
    for number, part in ((1, data[:100]), (-1, data[100:])):
        chunk = {**body, "chunk": number, "content": b64encode(part).decode()}
        reply = server.request("PUT", f"/api/contents/{path}", chunk)
    return reply


def as_text(server: JupyterServer, path: str, document: dict[str, Any]) -> Reply:
    return server.save(path, as_file(document))


@pytest.mark.parametrize("lower", ["internal", "public", "no class of this name", None])
def test_a_lower_class_without_a_reason_is_refused(server: JupyterServer, lower: str | None) -> None:
    path = f"lower {lower}.ipynb"
    assert server.save(path, stating("confidential")).status == 201
    with EventListener(server) as listener:
        reply = server.save(path, stating(lower))
        listener.wait_for(kind="class", path=path)
    assert reply.status == 422
    assert "from confidential to" in reply.message
    assert "qguard.reason" in reply.message
    assert "nothing is lost" in reply.message
    assert on_disk(server, path) == "confidential"
    ((kind, data),) = recorded(server, path, 1)
    expected = ("save.decided", "block", "public" if lower == "public" else "internal")
    assert (kind, data["action"], data["classification"]) == expected


@pytest.mark.parametrize("way", [upload, in_chunks, as_text])
def test_so_it_is_by_every_way_a_notebook_can_be_replaced(server: JupyterServer, way: Any) -> None:
    path = f"{way.__name__}.ipynb"
    assert server.save(path, stating("restricted")).status == 201
    assert way(server, path, stating("internal")).status == 422
    assert on_disk(server, path) == "restricted"
    assert way(server, path, stating("internal", "measured again in the open lab")).status in {200, 201}
    assert on_disk(server, path) == "internal"


def test_a_notebook_that_is_scanned_while_it_is_written_is_refused_too(server: JupyterServer) -> None:
    large = "\n".join(f"x = {number}" for number in range(300_000))
    assert server.save("large.ipynb", stating("restricted", source=large)).status == 201
    assert server.save("large.ipynb", stating("internal", source=large)).status == 422
    assert on_disk(server, "large.ipynb") == "restricted"


def test_a_reason_lets_it_through_and_is_recorded(server: JupyterServer) -> None:
    assert server.save("why.ipynb", stating("restricted")).status == 201
    assert server.save("why.ipynb", stating("internal", "the data were published")).status == 200
    assert on_disk(server, "why.ipynb") == "internal"
    ((kind, data),) = recorded(server, "why.ipynb", 1)
    expected = ("override.granted", "internal", "the data were published")
    assert (kind, data["classification"], data["reason"]) == expected
    assert server.save("why.ipynb", stating("internal", "the data were published", "2")).status == 200
    assert len(recorded(server, "why.ipynb", 1)) == 1


def test_the_reason_of_an_earlier_change_is_none(server: JupyterServer) -> None:
    for given, status in [("restricted", 201), ("internal", 200), ("restricted", 200), ("internal", 422)]:
        reason = None if status == 201 else "the data were published"
        assert server.save("again.ipynb", stating(given, reason)).status == status
    assert server.save("again.ipynb", stating("internal", " \n")).status == 422
    assert server.save("again.ipynb", stating("internal", "these as well")).status == 200


def test_a_class_rises_and_a_new_notebook_states_what_it_will(server: JupyterServer) -> None:
    for number, given in enumerate(["public", "internal", "confidential", "restricted", "restricted"]):
        assert server.save("rise.ipynb", stating(given, source=str(number))).status == (200 if number else 201)
    assert recorded(server, "rise.ipynb", 0) == []
    assert server.save("unstated.ipynb", notebook(code("1"))).status == 201
    assert server.save("unstated.ipynb", stating("public")).status == 422


def test_a_checkpoint_of_a_lower_class_is_not_restored(server: JupyterServer) -> None:
    assert server.save("back.ipynb", stating("internal")).status == 201
    assert server.request("POST", "/api/contents/back.ipynb/checkpoints").status == 201
    assert server.save("back.ipynb", stating("restricted")).status == 200
    assert server.request("POST", "/api/contents/back.ipynb/checkpoints/checkpoint").status == 422
    assert on_disk(server, "back.ipynb") == "restricted"


def test_a_reason_opens_nothing_but_the_class(server: JupyterServer) -> None:
    secret = make_secret("reason")
    assert server.save("closed.ipynb", stating("restricted")).status == 201
    assert server.save("closed.ipynb", stating("internal", "why not", call(secret))).status == 422
    assert on_disk(server, "closed.ipynb") == "restricted"
    assert [kind for kind, _ in recorded(server, "closed.ipynb", 1)] == ["save.decided"]
    assert server.leaks(secret) == []


def test_where_the_policy_observes_it_goes_through_and_is_recorded(server: JupyterServer) -> None:
    assert server.save("observed.ipynb", stating("restricted")).status == 201
    server.policy_file.write_text("apiVersion: qguard/v1\nscan: {mode: observe}\n")
    try:
        assert server.save("observed.ipynb", stating("internal")).status == 200
    finally:
        server.policy_file.write_text("apiVersion: qguard/v1\n")
    ((_, data),) = recorded(server, "observed.ipynb", 1)
    assert (data["action"], data["would"]) == ("warn", "block")
