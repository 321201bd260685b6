"""The scenes: each does what a user does, shows what came of it, and checks it against the disk."""

from __future__ import annotations

import base64
import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from examples.demo import keys, notebooks
from examples.demo.server import jupyter_server

if TYPE_CHECKING:
    from examples.demo.stage import Stage

_IDENTIFIER = re.compile(r"\[qg:([0-9a-f]+)\]")
_IBM, _IONQ, _DWAVE, _BRAKET = (
    "ibm_ghz_fidelity",
    "ionq_bernstein_vazirani",
    "dwave_shift_planning",
    "braket_maxcut_qaoa",
)


def without_guard(stage: Stage) -> None:
    """The same save in a stock server: what the guard is for, and that the checks below can fail."""
    stage.scene("Without the guard", "A key is pasted into a cell of ibm_ghz_fidelity.ipynb, the extension is off.")
    key = keys.ibm_key()
    with jupyter_server(stage.place, guarded=False) as stock:
        answer = stock.save(
            "stock.ipynb", notebooks.pasted(notebooks.load(_IBM), "QiskitRuntimeService", f'token="{key}"')
        )
    where = stage.traces(key)
    (stage.place.root / "stock.ipynb").unlink(missing_ok=True)
    stage.check("A stock server writes the key to disk", f"{answer.status}, key in {where}", held=bool(where))


def blocked(stage: Stage) -> None:
    """A key in a cell."""
    stage.scene("A save is blocked", "The same notebook and the same save, with the guard on.")
    key, clean, name = keys.ibm_key(), notebooks.load(_IBM), f"{_IBM}.ipynb"
    stage.client.save(name, clean)
    before = (stage.place.root / name).read_bytes()
    answer = stage.client.save(name, notebooks.pasted(clean, "QiskitRuntimeService", f'token="{key}"'))
    stage.quote(f"PUT {name}: {answer.status}", answer.message)
    refused = answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and bool(_IDENTIFIER.search(answer.message))
    stage.check("A key in a cell stops the save", f"{answer.status} with an id", held=refused)
    traces = stage.traces(key)
    unchanged = (stage.place.root / name).read_bytes() == before
    held = not traces and unchanged and key not in answer.message
    stage.check("A refused save leaves no byte of the key anywhere", traces or "file unchanged, key nowhere", held=held)
    again = stage.client.save(name, clean)
    stage.check(
        "Nothing is lost: without the key the save goes through", str(again.status), held=again.status == HTTPStatus.OK
    )


def redacted(stage: Stage) -> None:
    """A key in an output."""
    stage.scene(
        "A save is redacted", "A failed run left a traceback with the request's header: the key is in the output."
    )
    key, name = keys.ionq_key(), f"{_IONQ}.ipynb"
    document = notebooks.failed_with_header(notebooks.load(_IONQ), key)
    answer = stage.client.save(name, document)
    text = (stage.place.root / name).read_text("utf-8") if answer.status < HTTPStatus.BAD_REQUEST else "{}"
    stage.compare(_last_line(document), _last_line(json.loads(text)))
    stage.quote("the client is told", answer.message)
    traces = stage.traces(key)
    held = "[redacted:" in text and not traces and bool(answer.message)
    stage.check("A key in an output is redacted on its way to disk", traces or "disk clean, client told", held=held)


def uploaded(stage: Stage) -> None:
    """A key cut in two by a chunked upload."""
    stage.scene(
        "An upload is refused", "braket_maxcut_qaoa.ipynb comes in two chunks; the cut goes through the AWS secret."
    )
    identifier, secret = keys.aws_pair()
    source = f"%env AWS_ACCESS_KEY_ID={identifier}\n%env AWS_SECRET_ACCESS_KEY={secret}"
    data = json.dumps(notebooks.with_cell(notebooks.load(_BRAKET), source)).encode()
    middle = data.index(secret.encode()) + len(secret) // 2
    answers = []
    for number, chunk in ((1, data[:middle]), (-1, data[middle:])):
        body = {"type": "file", "format": "base64", "content": base64.b64encode(chunk).decode(), "chunk": number}
        answers.append(stage.client.ask("PUT", f"/api/contents/{_BRAKET}.ipynb", body))
    answer = answers[-1]
    traces = stage.traces(secret[: len(secret) // 2], secret[len(secret) // 2 :], identifier)
    held = answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and not traces
    stage.check(
        "A key cut in two by a chunked upload is refused", traces or f"{answer.status}, nothing left on disk", held=held
    )


def overridden(stage: Stage) -> str:
    """A person takes responsibility, and that is recorded. Returns the key that is now on the disk."""
    stage.scene("An override", "A D-Wave token must stay for a workshop; the author says why and saves again.")
    key, name = keys.dwave_token(), f"{_DWAVE}.ipynb"
    document = notebooks.pasted(notebooks.load(_DWAVE), "DWaveSampler", f'token="{key}"')
    first = stage.client.save(name, document)
    found = _IDENTIFIER.search(first.message)
    granted = stage.client.override(found[1] if found else "", "Workshop account, the token is revoked on Friday")
    second = stage.client.save(name, document)
    refused, let_through = first.status == HTTPStatus.UNPROCESSABLE_ENTITY, second.status in (200, 201)
    held = refused and granted.status == HTTPStatus.CREATED and let_through
    stage.check(
        "A recorded reason lets one save through", f"{first.status}, {granted.status}, {second.status}", held=held
    )
    other = stage.client.save(name, notebooks.pasted(document, "SimulatedAnnealingSampler", f'"{keys.dwave_token()}"'))
    blocked_again = other.status == HTTPStatus.UNPROCESSABLE_ENTITY
    stage.check("The override holds for that key only", f"another key: {other.status}", held=blocked_again)
    return key


def audited(stage: Stage, key: str) -> None:
    """The trail."""
    stage.scene("The audit trail", "$ qguard audit show --type override.granted; qguard audit verify")
    code, text = stage.run("qguard", "audit", "show", "--type", "override.granted")
    stage.quote("qguard audit show", text)
    held = code == 0 and "Workshop account" in text and key not in text
    stage.check("The override is in the audit log, the key is not", f"exit {code}", held=held)
    code, text = stage.run("qguard", "audit", "verify")
    stage.quote("qguard audit verify", text)
    stage.check("The audit log verifies", f"exit {code}", held=code == 0)


def exported(stage: Stage, key: str) -> None:
    """What leaves the server."""
    stage.scene("Exports and downloads", "The notebook with the overridden token is on the disk. It leaves without it.")
    name = f"{_DWAVE}.ipynb"
    pages = {
        "HTML export": stage.client.ask("GET", f"/nbconvert/html/{name}?download=false"),
        "script export": stage.client.ask("GET", f"/nbconvert/script/{name}?download=false"),
        "download": stage.client.ask("GET", f"/files/{name}"),
    }
    leaks = [way for way, answer in pages.items() if key.encode() in answer.body or b"[redacted" not in answer.body]
    broken = [f"{way}: {answer.status}" for way, answer in pages.items() if answer.status != HTTPStatus.OK]
    stage.quote("from the exported script", _line_with(pages["script export"].body.decode(), "DWaveSampler("))
    seen = ", ".join([*(f"LEAK in {way}" for way in leaks), *broken]) or ", ".join(pages)
    stage.check("Exports and downloads from the server carry no key", seen, held=not leaks and not broken)
    code, text = stage.run("jupyter-nbconvert", "--to", "html", "--output-dir", str(stage.place.folder / "tmp"), name)
    page = stage.place.folder / "tmp" / f"{_DWAVE}.html"
    content = page.read_text("utf-8") if page.exists() else text
    held = code == 0 and key not in content and "[redacted" in content
    stage.check("Neither does jupyter nbconvert on the command line", f"exit {code}", held=held)


def scanned(stage: Stage, key: str) -> None:
    """The command line."""
    stage.scene("The command line", "$ qguard scan .   (the folder that the server serves)")
    (stage.place.root / "run.log").write_text(f"retrying with DWAVE_API_TOKEN={keys.dwave_token()}\n", "utf-8")
    code, text = stage.run("qguard", "scan", ".")
    stage.quote(f"exit {code}", text)
    held = code == 1 and f"{_DWAVE}.ipynb" in text and "run.log" in text and key not in text
    stage.check("qguard scan finds them, masked, and fails the build", f"exit {code}", held=held)
    code, text = stage.run("qguard", "scan", str(notebooks.FOLDER))
    stage.check("qguard scan is quiet on the notebooks as they are", f"exit {code}", held=code == 0)


def _last_line(document: notebooks.Notebook) -> str:
    """The last line of the error output, without its colours."""
    for cell in document.get("cells", []):
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                return re.sub(r"\x1b\[[0-9;]*m", "", output["traceback"][-1])
    return "(no file)"


def _line_with(text: str, words: str) -> str:
    return next((line for line in text.splitlines() if words in line), f"(no line with {words})")
