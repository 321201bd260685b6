"""Secrets in configuration files: written by a cell, or pasted into a raw cell."""

from __future__ import annotations

from benchmarks.draft import Draft, Notebook
from benchmarks.places.registry import place

_FILES = {
    "env": (".env", "LANG=C.UTF-8\n$ENV=$R\nSHOTS=1000\n"),
    "env_quoted": (".env", '$ENV="$R"\nSHOTS=1000\n'),
    "ini": ("account.ini", "[$SECTION]\nurl = $URL\n$FIELD = $R\n"),
    "ini_tight": ("account.conf", "[$SECTION]\nurl=$URL\n$FIELD=$R\n"),
    "toml": ("account.toml", '[$SECTION]\nurl = "$URL"\n$FIELD = "$R"\n'),
    "yaml": ("account.yaml", "$SECTION:\n  url: $URL\n  $FIELD: $R\n"),
    "yaml_quoted": ("account.yaml", "accounts:\n  - name: lab\n    $FIELD: '$R'\n"),
    "json": ("account.json", '{\n  "$SECTION": {\n    "url": "$URL",\n    "$FIELD": "$J"\n  }\n}\n'),
    "properties": ("account.properties", "$VENDOR.url: $URL\n$VENDOR.$FIELD: $R\n"),
    "xml": ("account.xml", "<account>\n  <url>$URL</url>\n  <$NAME>$H</$NAME>\n</account>\n"),
    "dockerfile": ("Dockerfile", "FROM python:3.11\nENV $ENV=$R\nRUN pip install qiskit\n"),
    "compose": ("compose.yaml", "services:\n  lab:\n    environment:\n      - $ENV=$R\n      - SHOTS=1000\n"),
    "kubernetes": ("pod.yaml", "env:\n  - name: $ENV\n    value: $R\n  - name: SHOTS\n    value: '1000'\n"),
    "netrc": (".netrc", "machine $HOST\nlogin maria\npassword $R\n"),
    "sh": ("run.sh", "#!/bin/bash\nset -e\nexport $ENV=$R\npython run.py\n"),
    "python": ("settings.py", "URL = '$URL'\n$UPPER = '$J'\n"),
    "csv": ("accounts.csv", "account,$FIELD,shots\nmaria,$R,1000\n"),
}
_MULTILINE = {"json", "python"}


def _written(kind: str, path: str, text: str) -> None:
    @place(f"writefile_{kind}", multiline=kind in _MULTILINE, whole=kind == "netrc")
    def build(draft: Draft) -> Notebook:
        return draft.notebook(draft.code(f"%%writefile {path}\n" + draft.expand(text)))


def _raw(kind: str, text: str) -> None:
    @place(f"raw_{kind}", multiline=kind in _MULTILINE)
    def build(draft: Draft) -> Notebook:
        return draft.notebook(draft.prose(draft.expand(text), kind="raw"))


for _kind, (_path, _text) in _FILES.items():
    _written(_kind, _path, _text)
    if _kind in {"env", "ini", "toml", "yaml", "json", "sh", "csv"}:
        _raw(_kind, _text)


@place("raw_http", needs=("header", "url"))
def _http(draft: Draft) -> Notebook:
    text = draft.expand("GET /v1/jobs HTTP/1.1\nHost: $HOST\n$HEADER: $HEADER_VALUE\nAccept: */*\n")
    return draft.notebook(draft.prose(text, kind="raw"))


@place("raw_pasted", multiline=True, bare=True)
def _pasted(draft: Draft) -> Notebook:
    return draft.notebook(draft.prose(draft.expand("$R\n"), kind="raw"))


@place("echo_to_file")
def _echo(draft: Draft) -> Notebook:
    return draft.notebook(draft.code(draft.expand("!echo '$ENV=$R' >> ~/.bashrc")))


@place("open_write", multiline=True)
def _open_write(draft: Draft) -> Notebook:
    code = draft.expand("with open('.env', 'w') as file:\n    file.write('$ENV=$J\\n')")
    return draft.notebook(draft.code(code))


@place("heredoc")
def _heredoc(draft: Draft) -> Notebook:
    code = draft.expand("%%bash\ncat > ~/.config/account <<EOF\n[$SECTION]\n$FIELD = $R\nEOF")
    return draft.notebook(draft.code(code))
