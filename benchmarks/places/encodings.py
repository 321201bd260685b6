"""Secrets that are encoded: base64 and percent encoding, in source and in output."""

from __future__ import annotations

import base64
import json
import textwrap
import urllib.parse

from benchmarks.draft import Draft, Notebook, url_quoted
from benchmarks.marks import mark, unmark
from benchmarks.places.registry import place


def _encode(text: str, *, urlsafe: bool = False) -> str:
    data = text.encode()
    return (base64.urlsafe_b64encode(data) if urlsafe else base64.b64encode(data)).decode()


def _run(encoded: str) -> str:
    """All of the run must go; whether its padding goes too is a matter of taste."""
    body = encoded.rstrip("=")
    return mark(f"<<{body}>>{encoded[len(body) :]}")


def _pair(draft: Draft) -> str:
    return f"{draft.env}={unmark(draft.secret)}"


def _account(draft: Draft) -> str:
    credential = draft.credential
    return json.dumps({"url": credential.url, credential.field: unmark(draft.secret), "shots": 1000})


@place("base64_source", multiline=True)
def _source(draft: Draft) -> Notebook:
    code = f'import base64\nline = base64.b64decode("{_run(_encode(_pair(draft)))}").decode()'
    return draft.notebook(draft.code(code))


@place("base64_source_bytes")
def _source_bytes(draft: Draft) -> Notebook:
    code = f"blob = b'{_run(_encode(_pair(draft) + chr(10)))}'\nopen('.env', 'wb').write(base64.b64decode(blob))"
    return draft.notebook(draft.code(code))


@place("base64_source_json", multiline=True)
def _source_json(draft: Draft) -> Notebook:
    code = f"account = json.loads(base64.b64decode('{_run(_encode(_account(draft)))}'))"
    return draft.notebook(draft.code(code))


@place("base64_shell")
def _shell(draft: Draft) -> Notebook:
    return draft.notebook(draft.code(f"!echo {_run(_encode(_pair(draft)))} | base64 -d > .env"))


@place("base64_output", multiline=True)
def _output(draft: Draft) -> Notebook:
    return draft.notebook(draft.code("!base64 -w0 .env", draft.stream(_run(_encode(_pair(draft))) + "\n")))


@place("base64_output_urlsafe")
def _urlsafe(draft: Draft) -> Notebook:
    text = f"state={_run(_encode(_account(draft), urlsafe=True).rstrip('='))}\n"
    return draft.notebook(draft.code("print(request.state)", draft.stream(text)))


@place("base64_output_lines", multiline=True)
def _lines(draft: Draft) -> Notebook:
    encoded = _encode(f"LANG=C.UTF-8\n{_pair(draft)}\nSHELL=/bin/bash\nHOME=/home/maria\nEDITOR=vim\n")
    return draft.notebook(draft.code("!base64 .env", draft.stream(_run("\n".join(textwrap.wrap(encoded, 76))) + "\n")))


@place("base64_json_value", multiline=True)
def _json_value(draft: Draft) -> Notebook:
    output = draft.shown(json={"name": "lab-account", "payload": _run(_encode(_account(draft)))})
    return draft.notebook(draft.code("JSON(secret)", output))


@place("base64_kubernetes_secret")
def _kubernetes(draft: Draft) -> Notebook:
    encoded = _run(_encode(unmark(draft.secret)))
    text = f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: lab\ndata:\n  {draft.env}: {encoded}\n"
    return draft.notebook(draft.code("!kubectl get secret lab -o yaml", draft.stream(text)))


@place("base64_basic_header", whole=True)
def _basic(draft: Draft) -> Notebook:
    encoded = _run(_encode(f"maria@lab.example.org:{unmark(draft.secret)}"))
    return draft.notebook(draft.code(f"headers = {{'Authorization': 'Basic {encoded}'}}"))


@place("base64_basic_curl", whole=True)
def _basic_curl(draft: Draft) -> Notebook:
    encoded = _run(_encode(f"maria:{unmark(draft.secret)}"))
    text = f"> GET /v1/jobs HTTP/2\n> authorization: Basic {encoded}\n> accept: */*\n"
    return draft.notebook(draft.code("!curl -v -u maria $URL", draft.stream(text, "stderr")))


@place("base64_html_data_uri", multiline=True)
def _data_uri(draft: Draft) -> Notebook:
    encoded = _run(_encode(_account(draft)))
    html = f'<a download="account.json" href="data:application/json;base64,{encoded}">account</a>'
    return draft.notebook(draft.code("download", draft.shown(result=True, html=html)))


@place("base64_attachment", multiline=True)
def _attachment(draft: Draft) -> Notebook:
    bundle = {"text/plain": _run(_encode(_pair(draft)))}
    return draft.notebook(draft.prose("[env](attachment:env.txt)", attachments={"env.txt": bundle}))


@place("percent_encoded_body")
def _body(draft: Draft) -> Notebook:
    quoted = url_quoted(draft.secret)
    text = f"send: b'user=maria%40lab.example.org&{draft.credential.name}={quoted}&scope=jobs'\n"
    return draft.notebook(draft.code("login(debug=True)", draft.stream(text)))


@place("percent_encoded_json")
def _percent_json(draft: Draft) -> Notebook:
    """JSON in a query parameter: the quotes around the value are percent-encoded."""
    head = urllib.parse.quote('{"user": "maria", "' + draft.credential.field + '": "')
    value = url_quoted(draft.secret)
    text = f"GET /v1/login?auth={head}{value}%22%7D HTTP/1.1\n"
    return draft.notebook(draft.code("print(log)", draft.stream(text)))


@place("percent_encoded_everything", whole=True)
def _everything(draft: Draft) -> Notebook:
    """Some clients encode every character that is not a letter, hyphens and dots included."""
    quoted = "".join(c if c.isalnum() and n % 7 else f"%{ord(c):02X}" for n, c in enumerate(unmark(draft.secret)))
    text = f"https://jobs.lab.example/v1?{draft.credential.name}={mark(quoted)}&limit=5\n"
    return draft.notebook(draft.code("print(r.url)", draft.stream(text)))


@place("unicode_escapes_in_json", whole=True)
def _unicode(draft: Draft) -> Notebook:
    value = "".join(
        f"\\u{ord(c):04x}" if not c.isalnum() or n % 9 == 4 else c for n, c in enumerate(unmark(draft.secret))
    )
    text = f'{{"user": "maria", "{draft.credential.field}": "{mark(value)}"}}\n'
    return draft.notebook(draft.code("print(body)", draft.stream(text)))
