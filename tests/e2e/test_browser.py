"""What a page of the server can do in a real browser, and that JupyterLab works under it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.browser import OtherHost, chromium
from tests.server.harness import JupyterServer

pytestmark = pytest.mark.e2e
LAB = ("jupyterlab", "jupyter_server_terminals", "jupyter_server_ydoc", "jupyter_server_fileid")
OPTIONS = {"LabApp.expose_app_in_browser": True}
POLICY = "apiVersion: qguard/v1\negress: {mode: MODE}\n"
WAYS_OUT = {
    "image": "const i = new Image(); i.src = URL + '/image'; document.body.append(i)",
    "fetch": "fetch(URL + '/fetch', {mode: 'no-cors'}).catch(() => 0)",
    "beacon": "navigator.sendBeacon(URL + '/beacon', 'x')",
    "request": "const r = new XMLHttpRequest(); r.open('POST', URL + '/request'); r.send('x')",
    "script": "const s = document.createElement('script'); s.src = URL + '/script'; document.body.append(s)",
    "style": "const l = document.createElement('link'); l.rel = 'stylesheet'; l.href = URL + '/style';"
    " document.head.append(l)",
    "background": "const d = document.createElement('div'); d.style = `background: url(${URL}/background);"
    "width: 9px; height: 9px`; document.body.append(d)",
    "font": "new FontFace('f', `url(${URL}/font)`).load().catch(() => 0)",
    "frame": "const f = document.createElement('iframe'); f.src = URL + '/frame'; document.body.append(f)",
    "frame in a frame": "const f = document.createElement('iframe'); f.srcdoc ="
    " `<img src='${URL}/inner'>`; document.body.append(f)",
    "frame of its own": "const f = document.createElement('iframe'); f.src = globalThis.URL.createObjectURL("
    "new Blob([`<img src='${URL}/blob'>`], {type: 'text/html'})); document.body.append(f)",
    "form": "const f = document.createElement('form'); f.method = 'post'; f.action = URL + '/form'; f.target = '_blank';"
    " document.body.append(f); f.submit()",
    "socket": "try { new WebSocket(URL.replace('http', 'ws') + '/socket') } catch (e) { 0 }",
    "events": "try { new EventSource(URL + '/events') } catch (e) { 0 }",
    "media": "const v = document.createElement('video'); v.src = URL + '/media'; document.body.append(v)",
    "object": "const o = document.createElement('object'); o.data = URL + '/object'; document.body.append(o)",
    "worker": "new Worker(globalThis.URL.createObjectURL(new Blob([`fetch('${URL}/worker', {mode: 'no-cors'})"
    ".catch(() => 0)`])))",
    "import": "import(URL + '/import').catch(() => 0)",
    "prefetch": "const l = document.createElement('link'); l.rel = 'prefetch'; l.href = URL + '/prefetch';"
    " document.head.append(l)",
}


def served(folder: Path, mode: str) -> Iterator[JupyterServer]:
    server = JupyterServer(folder, policy=POLICY.replace("MODE", mode), extensions=LAB, options=OPTIONS)
    (server.root / "page.html").write_text("<!doctype html><title>page</title><body>")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def enforced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    yield from served(tmp_path_factory.mktemp("enforced"), "enforce")


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    yield from served(tmp_path_factory.mktemp("observed"), "observe")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as program:
        yield program


def opened(browser: Any, server: JupyterServer, path: str) -> Any:
    page = browser.new_context().new_page()
    page.goto(f"http://127.0.0.1:{server.port}/{path}?token={server.token}")
    return page


def attempt(page: Any, other: OtherHost) -> None:
    """Try every way, then one that is always open, and wait for that."""
    for script in WAYS_OUT.values():
        page.evaluate(f"() => {{ const URL = 'http://127.0.0.1:{other.port}'; {script} }}")
    page.wait_for_timeout(1500)  # nothing says that a browser will not yet try something


def test_a_page_reaches_another_host_in_no_way(browser: Any, enforced: JupyterServer) -> None:
    with OtherHost.listening() as other:
        page = opened(browser, enforced, "lab/tree/page.html")
        attempt(page, other)
        page.context.close()
        assert other.requests == []


def test_where_it_is_only_observed_the_same_ways_are_open(browser: Any, observed: JupyterServer) -> None:
    with OtherHost.listening() as other:
        page = opened(browser, observed, "lab/tree/page.html")
        attempt(page, other)
        page.context.close()
        assert len({line.split()[1] for line in other.requests}) > len(WAYS_OUT) - 3, other.requests


def test_a_file_that_the_server_shows_reaches_no_other_host_either(browser: Any, enforced: JupyterServer) -> None:
    with OtherHost.listening() as other:
        (enforced.root / "loads.html").write_text(
            f"<!doctype html><img src='http://127.0.0.1:{other.port}/image'>"
            f"<script>fetch('http://127.0.0.1:{other.port}/fetch', {{mode: 'no-cors'}})</script><p id=end>"
        )
        page = opened(browser, enforced, "files/loads.html")
        page.wait_for_selector("#end", state="attached")
        page.wait_for_timeout(500)
        page.context.close()
        assert other.requests == []


def test_lab_works_and_nothing_of_it_is_refused(browser: Any, enforced: JupyterServer) -> None:
    cells = [
        ("code", "from IPython.display import HTML, SVG, Markdown, JSON, display\nprint(6 * 7)"),
        ("code", 'display(SVG(\'<svg xmlns="http://www.w3.org/2000/svg"><circle r="4" id="drawn"/></svg>\'))'),
        ("code", 'display(HTML(\'<b id="bold">b</b><script>document.title += "!"</script>\'))'),
        ("markdown", "$\\sqrt{2}$"),
    ]
    notebook = {
        "cells": [
            {"cell_type": kind, "id": f"c{number}", "metadata": {}, "source": source}
            | ({"outputs": [], "execution_count": None} if kind == "code" else {})
            for number, (kind, source) in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (enforced.root / "works.ipynb").write_text(json.dumps(notebook))
    page = browser.new_context().new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    page.goto(f"http://127.0.0.1:{enforced.port}/lab/tree/works.ipynb?token={enforced.token}")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
    page.wait_for_function("document.querySelector('.jp-Notebook-ExecutionIndicator[data-status=idle]')")
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    page.locator(".jp-OutputArea-output", has_text="42").wait_for(timeout=60_000)
    page.locator("#bold").wait_for()
    page.locator(".jp-RenderedSVG").first.wait_for()
    page.locator(".jp-MarkdownOutput mjx-container").first.wait_for()
    page.keyboard.press("Control+s")
    page.context.close()
    assert refused == []


def test_terminals_are_closed_and_lab_installs_nothing(enforced: JupyterServer, observed: JupyterServer) -> None:
    assert enforced.request("POST", "/api/terminals", {}).status == 404
    assert observed.request("POST", "/api/terminals", {}).status == 200
    for server, manager in ((enforced, "readonly"), (observed, "pypi")):
        assert f"Extension Manager is '{manager}'" in server.log
    status = enforced.request("GET", "/qguard/api/v1/status").json
    assert (status["pages"], status["terminals"]) == ("confined to this server", "closed")


def test_a_policy_that_starts_to_enforce_holds_from_the_next_page_on(tmp_path: Path) -> None:
    server = JupyterServer(tmp_path / "s", policy=POLICY.replace("MODE", "observe"))
    try:
        server.start()
        assert "connect-src" not in server.request("GET", "/api/status").headers["content-security-policy"]
        server.policy_file.write_text(POLICY.replace("MODE", "enforce"))
        for _ in range(100):
            if "connect-src" in server.request("GET", "/qguard/api/v1/status").headers["content-security-policy"]:
                break
        assert "connect-src 'self'" in server.request("GET", "/api/status").headers["content-security-policy"]
    finally:
        server.stop()


def test_what_an_operator_configured_holds_too(tmp_path: Path) -> None:
    own = "frame-ancestors https://hub.example.org"
    options = {"ServerApp.tornado_settings": {"headers": {"Content-Security-Policy": own}}}
    server = JupyterServer(tmp_path / "s", policy=POLICY.replace("MODE", "enforce"), options=options)
    try:
        header = server.start().request("GET", "/api/status").headers["content-security-policy"]
        assert header.startswith(f"{own}, default-src 'self'")
    finally:
        server.stop()
