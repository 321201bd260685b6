"""Secrets that code printed: streams and plain results."""

from __future__ import annotations

import pprint

from benchmarks.draft import Draft, Notebook
from benchmarks.places.registry import place

_BANNER = "Submitting 3 circuits to the queue ...\n"
_NOISE = "PATH=/opt/conda/bin:/usr/bin:/bin\nLANG=C.UTF-8\nOMP_NUM_THREADS=4\n"
# name: (source, text). $R raw value, $ENV variable, $NAME variable of the code.
_STDOUT = {
    "stdout_key_colon": ("print('$NAME:', $NAME)", "$NAME: $R\n"),
    "stdout_key_equals": ("print(f'{$NAME=}')", "$NAME='$J'\n"),
    "stdout_env_equals": ("show(config)", "$ENV=$R\n"),
    "stdout_bare_named": ("print($NAME)", "$R\n"),
    "stdout_bare_environ": ("print(os.environ['$ENV'])", "$R\n"),
    "stdout_sentence": ("login()", "Using $TITLE $FIELD $R from the environment\n"),
    "stdout_env_dump": ("!env", _NOISE + "$ENV=$R\nSHELL=/bin/bash\n"),
    "stdout_export_dump": ("%%bash\nexport -p", 'declare -x LANG="C.UTF-8"\ndeclare -x $ENV="$R"\n'),
    "stdout_dict": ("print(config)", "{'shots': 1000, '$FIELD': '$J', 'url': '$URL'}\n"),
    "stdout_json_indented": ("print(json.dumps(account, indent=2))", '{\n  "url": "$URL",\n  "$FIELD": "$J"\n}\n'),
    "stdout_json_line": ("!cat account.json", '{"$SECTION": {"url": "$URL", "$FIELD": "$J"}}\n'),
    "stdout_ini": ("!cat ~/.config/$VENDOR.conf", "[$SECTION]\nurl = $URL\n$FIELD = $R\n"),
    "stdout_yaml": ("!cat config.yaml", "$SECTION:\n  url: $URL\n  $FIELD: $R\n"),
    "stdout_repr": ("print(client)", "$REPR\n"),
    "stdout_list_of_tuples": ("print(list(config.items()))", "[('shots', 1000), ('$FIELD', '$J')]\n"),
    "stdout_box_table": ("rich.print(table)", "┃ setting ┃ value ┃\n│ $FIELD │ $R │\n└─────────┴───────┘\n"),
    "stdout_progress": ("run()", "\r 10%|█         | 1/10\r$NAME=$R\r100%|██████████| 10/10\n"),
    "stdout_url_query": ("print(r.url)", "$URL?$QUERY=$U&limit=10\n"),
    "stdout_wide_columns": ("%whos", "Variable   Type    Data/Info\n----------------------------\n$NAME     str     $R\nqc         QuantumCircuit\n"),
}  # fmt: skip
_STDERR = {
    "stderr_log": ("2026-11-23 10:14:02,118 - labtools.client - DEBUG - connecting with $NAME=$R\n"),
    "stderr_log_json": ('{"level": "debug", "logger": "client", "msg": "auth", "$FIELD": "$J"}\n'),
    "stderr_warning": "/opt/conda/lib/python3.11/site-packages/client.py:88: UserWarning: $FIELD '$J' is about to expire\n",
    "stderr_shell_trace": "+ export $ENV=$R\n+ python submit.py\n",
}
_WIRE = {
    "stdout_header": "$HEADER: $HEADER_VALUE\nAccept: */*\n",
    "stdout_headers_dict": "{'User-Agent': 'python-requests/2.32', '$HEADER': '$HEADER_VALUE', 'Accept': '*/*'}\n",
    "stdout_http_debug": "send: b'GET /v1/jobs HTTP/1.1\\r\\nHost: $HOST\\r\\n$HEADER: $HEADER_VALUE\\r\\n\\r\\n'\n",
    "stdout_curl_verbose": "> GET /v1/jobs HTTP/2\n> host: $HOST\n> $HEADER_LOWER: $HEADER_VALUE\n> accept: */*\n< HTTP/2 200\n",
    "stdout_header_tuples": "[(b'host', b'$HOST'), (b'$HEADER_LOWER', b'$HEADER_VALUE')]\n",
}
_RESULTS = {
    "result_bare_named": ("$NAME", "'$J'"),
    "result_bare_environ": ("os.environ['$ENV']", "'$J'"),
    "result_bare_attribute": ("client.$NAME", "'$J'"),
    "result_key_value": ("config", "{'shots': 1000, '$FIELD': '$J'}"),
    "result_repr": ("client", "$REPR"),
    "result_dataclass": ("settings", "Settings(url='$URL', $NAME='$J', shots=1000)"),
    "result_namespace": ("args", "Namespace(shots=1000, $NAME='$J')"),
    "result_tuple": ("'$NAME', $NAME", "('$NAME', '$J')"),
    "result_environ": (
        "os.environ",
        "environ{'LANG': 'C.UTF-8',\n        '$ENV': '$J',\n        'SHELL': '/bin/bash'}",
    ),
    "result_env_magic": ("%env", "{'LANG': 'C.UTF-8', '$ENV': '$J', 'SHELL': '/bin/bash'}"),
    "result_bytes": ("$NAME.encode()", "b'$J'"),
}
_BARE = {
    "result_bare_anonymous": ("x", "'$J'"),
    "result_bare_in_list": ("items", "['a', '$J', 'b']"),
}
_NEEDS = {"stdout_url_query": ("url",), "stdout_wide_columns": (), "stdout_progress": ()}
_ONE_LINE = {
    "stdout_box_table",
    "stdout_progress",
    "stdout_wide_columns",
    "stdout_url_query",
    "stdout_ini",
    "stdout_yaml",
}


def _stdout(name: str, source: str, text: str) -> None:
    multiline = name in {"stdout_dict", "stdout_json_indented", "stdout_json_line", "stdout_bare_named", "stdout_repr"}

    @place(name, needs=_NEEDS.get(name, ()), multiline=multiline)
    def build(draft: Draft) -> Notebook:
        head = _BANNER if draft.rng.random() < 0.3 else ""
        output = draft.stream(head + draft.expand(text))
        return draft.notebook(draft.code(draft.expand(source), output))


def _stderr(name: str, text: str) -> None:
    @place(name)
    def build(draft: Draft) -> Notebook:
        return draft.notebook(draft.code("job = run(qc)", draft.stream(draft.expand(text), "stderr")))


def _wire(name: str, text: str) -> None:
    @place(name, needs=("header", "url"))
    def build(draft: Draft) -> Notebook:
        return draft.notebook(draft.code("response = submit(qc, debug=True)", draft.stream(draft.expand(text))))


def _result(name: str, source: str, text: str, *, bare: bool = False) -> None:
    @place(name, multiline=True, bare=bare)
    def build(draft: Draft) -> Notebook:
        output = draft.shown(result=True, plain=draft.expand(text))
        return draft.notebook(draft.code(draft.expand(source), output))


for _name, _pair in _STDOUT.items():
    _stdout(_name, *_pair)
for _name, _text in _STDERR.items():
    _stderr(_name, _text)
for _name, _text in _WIRE.items():
    _wire(_name, _text)
for _name, _pair in _RESULTS.items():
    _result(_name, *_pair)
for _name, _pair in _BARE.items():
    _result(_name, *_pair, bare=True)


@place("stdout_pprint", multiline=True)
def _pprint(draft: Draft) -> Notebook:
    shape = pprint.pformat({draft.credential.field: "@", "shots": 1000, "backends": ["a" * 30, "b" * 30]}, width=60)
    text = shape.replace("'@'", draft.literal.replace('"', "'"))
    return draft.notebook(draft.code("pprint(config)", draft.stream(text + "\n")))


@place("result_display_data")
def _display(draft: Draft) -> Notebook:
    output = draft.shown(plain=draft.expand("$FIELD = $R"))
    return draft.notebook(draft.code("display(config)", output))


@place("outputs_two", multiline=True)
def _two(draft: Draft) -> Notebook:
    """The same kind of secret twice, in a stream and in a result."""
    first = draft.stream(draft.expand("{'$FIELD': '$J'}\n"))
    other = draft.another(1).replace("\n", "\\n")
    second = draft.shown(result=True, plain=f"{{'{draft.credential.field}': '{other}'}}")
    return draft.notebook(draft.code("print(old)\nnew", first, second))
