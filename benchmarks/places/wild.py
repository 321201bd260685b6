"""Further ways in which secrets get into notebooks, collected after the scanner had been built against the rest.

The first run over these places told how far the scanner goes beyond what it had been measured by.
"""

from __future__ import annotations

import html

from benchmarks.draft import Draft, Notebook, escaped, lines, quoted
from benchmarks.marks import mapped
from benchmarks.places.registry import place

_SOURCE = {
    "colab_form": '$NAME = $V #@param {type:"string"}',
    "dotenv_set_key": "from dotenv import set_key\nset_key('.env', '$ENV', $V)",
    "keyring_set_password": "import keyring\nkeyring.set_password('$VENDOR', 'maria', $V)",
    "environ_merge": "os.environ |= {'$ENV': $V}",
    "environ_module": "environ['$ENV'] = $V",
    "secret_str": "settings = Settings($NAME=SecretStr($V))",
    "json_dump": "json.dump({'$FIELD': $V, 'shots': 10}, open('account.json', 'w'))",
    "yaml_in_string": 'config = yaml.safe_load("""\n$SECTION:\n  $FIELD: $R\n  shots: 10\n""")',
    "configparser_item": "parser['$SECTION']['$FIELD'] = $V\nparser.write(open('account.ini', 'w'))",
    "configparser_set": "parser.set('$SECTION', '$FIELD', $V)",
    "list_of_accounts": "accounts = [{'name': 'lab', '$FIELD': $V}, {'name': 'spare', '$FIELD': None}]",
    "return_statement": "def get_$NAME():\n    return $V",
    "lambda_default": "$NAME = lambda: $V",
    "conditional": "$NAME = $V if backend != 'simulator' else None",
    "partial_call": "connect = partial(Client, $NAME=$V)",
    "nested_auth": "client = Client(url='$URL', auth=TokenAuth($V))",
    "comparison": "if $NAME != $V:\n    raise SystemExit('wrong account')",
    "dict_get_default": "$NAME = config.get('$FIELD', $V)",
    "namedtuple": "Account = namedtuple('Account', 'user $NAME')\naccount = Account('maria', $NAME=$V)",
    "commented_assignment": "# $NAME = $V\n$NAME = getpass()",
    "commented_env": "#!export $ENV=$R\nprint('ok')",
    "todo_comment": "# TODO(maria): remove $NAME $R before publishing\nrun()",
    "multi_assignment": "shots = 1000; $NAME = $V; backend = 'qpu'",
    "chained_assignment": "$NAME = token = $V",
    "global_statement": "global $NAME\n$NAME = $V",
    "exec_string": "exec(\"$NAME = '$R'\")",
    "papermill_api": "pm.execute_notebook('in.ipynb', 'out.ipynb', parameters={'$NAME': $V, 'shots': 10})",
    "run_magic": "%run submit.py --$FIELD $R --shots 1000",
    "shell_long_option": "!python submit.py --$FIELD=$R --shots 1000",
    "shell_quoted_option": '!qcli login --$FIELD "$R"',
    "shell_password_stdin": "!echo $R | docker login registry.lab.example -u maria --password-stdin",
    "shell_sed": "!sed -i 's/^$ENV=.*/$ENV=$R/' .env",
    "shell_config_set": "!qcli config set $FIELD $R",
    "shell_variable_list": "!env $ENV=$R SHOTS=10 python submit.py",
    "system_call": "os.system('export $ENV=$R; python submit.py')",
    "javascript_cell": "%%javascript\nfetch('$URL', {headers: {'X-Api-Key': '$J'}, method: 'POST'})",
    "html_cell": '%%html\n<form action="$URL"><input type="hidden" name="$FIELD" value="$H"></form>',
    "bash_heredoc_python": "%%bash\npython - <<'END'\nimport os\nos.environ['$ENV'] = '$R'\nEND",
    "r_headers": "httr::GET('$URL', httr::add_headers(Authorization = 'Bearer $R'))",
    "julia_call": "service = Service(; $NAME = $V, shots = 10)",
    "walrus_in_call": "client = Client($NAME := $V)",
    "star_args_dict": "Client(**dict(url='$URL', $NAME=$V))",
    "type_comment": "$NAME = $V  # type: str",
    "format_header": "headers = {'Authorization': 'Bearer {}'.format($V)}",
    "percent_header": "headers = {'Authorization': 'Bearer %s' % $V}",
    "fstring_header_constant": "k = $V\nheaders = {'Authorization': f'Bearer {k}'}",
    "strip_call": "$NAME = $V.strip()",
    "base_class_argument": "class Job(Base, $NAME=$V):\n    pass",
}  # fmt: skip
_MULTILINE = {
    "json_dump",
    "secret_str",
    "commented_assignment",
    "list_of_accounts",
    "dict_get_default",
    "papermill_api",
}
_OUTPUT = {
    "printed_git_diff": ("!git diff", "--- a/.env\n+++ b/.env\n@@ -1,2 +1,2 @@\n-$ENV=\n+$ENV=$R\n SHOTS=10\n"),
    "printed_history": ("!history", "  511  ls -la\n  512  export $ENV=$R\n  513  python submit.py\n"),
    "printed_processes": ("!ps aux", "maria  811  0.3  1.2 python submit.py --$FIELD $R --shots 10\nroot 1 0.0 init\n"),
    "printed_docker_inspect": ("!docker inspect lab", '        "Env": [\n            "$ENV=$J",\n            "PATH=/usr/bin"\n'),
    "printed_tabulate": ("print(tabulate(t))", "+---------+-------+\n| setting | value |\n+=========+=======+\n| $FIELD | $R |\n"),
    "printed_psql": ("%sql select * from account", " user  | $NAME\n-------+------\n maria | $R\n(1 row)\n"),
    "printed_csv": ("!cat accounts.csv", "account,$FIELD,shots\nmaria,$R,10\n"),
    "printed_http_error": ("submit()", '401 Unauthorized: {"error": "invalid $FIELD", "$FIELD": "$J"}\n'),
    "printed_widget_repr": ("field", "Password(description='$FIELD', value='$J')"),
    "printed_secret_object": ("secret", "Secret(name='$ENV', value='$J')"),
    "printed_rich_tree": ("rich.print(tree)", "account\n├── url: $URL\n├── $FIELD: $R\n└── shots: 10\n"),
    "printed_proto": ("request", 'job {\n  shots: 10\n}\n$NAME: "$J"\n'),
    "printed_inspect": ("vars(client)", "{'_session': <Session>, '_$NAME': '$J', 'url': '$URL'}"),
    "printed_config_list": ("!pip config list", "global.index-url='https://index.lab.example'\n$VENDOR.$FIELD='$R'\n"),
    "printed_kwargs": ("run()", "DEBUG run(circuit, shots=10, $NAME=$R, region=us-east-1)\n"),
    "printed_exports_fish": ("!set", "SHOTS 10\n$ENV $R\nSHELL /bin/bash\n"),
    "printed_yaml_list": ("!kubectl get pod -o yaml", "    env:\n    - name: $ENV\n      value: $R\n    image: lab\n"),
    "printed_arrow": ("print(d)", "url -> $URL\n$FIELD -> $R\n"),
    "printed_two_lines": ("print(info)", "$FIELD:\n    $R\nshots:\n    10\n"),
    "printed_set_cookie": ("print(r.headers)", "Set-Cookie: $NAME=$R; Path=/; HttpOnly; Secure\n"),
}  # fmt: skip


def _source(name: str, template: str) -> None:
    @place(f"wild_{name}", multiline=name in _MULTILINE)
    def build(draft: Draft) -> Notebook:
        return draft.notebook(draft.code(draft.expand(template)))


def _output(name: str, source: str, text: str) -> None:
    @place(f"wild_{name}")
    def build(draft: Draft) -> Notebook:
        made = draft.expand(text)
        output = draft.stream(made) if made.endswith("\n") else draft.shown(result=True, plain=made)
        return draft.notebook(draft.code(draft.expand(source), output))


for _name, _text in _SOURCE.items():
    _source(_name, _text)
for _name, _pair in _OUTPUT.items():
    _output(_name, *_pair)


@place("wild_token_list")
def _token_list(draft: Draft) -> Notebook:
    code = f"{draft.credential.name}s = [{draft.literal}, {quoted(draft.another(1))}]"
    return draft.notebook(draft.code(code))


@place("wild_vega_spec", multiline=True)
def _vega(draft: Draft) -> Notebook:
    row = {"account": "maria", draft.credential.field: draft.secret, "jobs": 4}
    spec = {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "data": {"values": [row]}, "mark": "bar"}
    return draft.notebook(draft.code("chart", draft.shown({"application/vnd.vegalite.v5+json": spec})))


@place("wild_iframe_srcdoc")
def _srcdoc(draft: Draft) -> Notebook:
    inner = draft.expand('<script>var config = {"$FIELD": "$J"};</script>')
    frame = f'<iframe srcdoc="{mapped(inner, lambda piece: html.escape(piece, quote=True))}" width="100%"></iframe>'
    return draft.notebook(draft.code("map", draft.shown(result=True, html=frame)))


@place("wild_databricks_widget", multiline=True)
def _databricks(draft: Draft) -> Notebook:
    widget = {
        "currentValue": draft.secret,
        "nuid": "0",
        "widgetInfo": {"name": draft.credential.name, "widgetType": "text"},
    }
    notebook = {"widgets": {draft.credential.name: widget}, "language": "python"}
    return draft.notebook(draft.code("run()"), metadata={"application/vnd.databricks.v1+notebook": notebook})


@place("wild_deepnote_variable", multiline=True)
def _deepnote(draft: Draft) -> Notebook:
    cell = draft.code(draft.credential.name)
    cell["metadata"] = {"deepnote_variable_name": draft.credential.name, "deepnote_variable_value": draft.secret}
    return draft.notebook(cell)


@place("wild_raw_front_matter")
def _front_matter(draft: Draft) -> Notebook:
    text = draft.expand("---\ntitle: Bell states\nparams:\n  $NAME: $R\n---\n")
    return draft.notebook(draft.prose(text, kind="raw"))


@place("wild_comment_thread")
def _thread(draft: Draft) -> Notebook:
    comments = [{"user": "jo", "body": draft.expand("which $TITLE $FIELD? $R works for me")}]
    return draft.notebook(draft.code("run()"), metadata={"comments": comments})


@place("wild_json_lines_of_list", multiline=True)
def _json_lines(draft: Draft) -> Notebook:
    """A JSON mime whose value some writers store as a list of lines of its text."""
    text = draft.expand('{\n "url": "$URL",\n "$FIELD": "$J"\n}')
    return draft.notebook(draft.code("account", draft.shown({"application/vnd.lab+json": lines(text)})))


@place("wild_escaped_html_in_json")
def _escaped_html(draft: Draft) -> Notebook:
    body = draft.expand("<td>$FIELD</td><td>$H</td>")
    return draft.notebook(draft.code("print(log)", draft.stream(f'{{"level": "info", "html": "{escaped(body)}"}}\n')))


@place("wild_crlf_lines")
def _crlf(draft: Draft) -> Notebook:
    text = draft.expand("LANG=C\r\n$ENV=$R\r\nSHOTS=10\r\n")
    return draft.notebook(draft.code("!type .env", draft.stream(text)))


@place("wild_tab_separated")
def _tabs(draft: Draft) -> Notebook:
    text = draft.expand("account\t$FIELD\tshots\nmaria\t$R\t10\n")
    return draft.notebook(draft.code("print(df.to_csv(sep='\\t'))", draft.stream(text)))


@place("wild_wide_unicode")
def _unicode(draft: Draft) -> Notebook:
    """Characters beyond the basic plane before the secret: offsets are code points, not bytes or UTF-16 units."""
    text = draft.expand("\U0001f511\U0001f511 größe 量子 $FIELD: $R \U0001f600\n")
    return draft.notebook(draft.code("print(info)", draft.stream(text)))


@place("wild_two_of_one_kind", multiline=True)
def _two(draft: Draft) -> Notebook:
    """The same call twice with two values: the old one is commented out."""
    old = draft.credential.call.replace("$V", quoted(draft.another(1)))
    return draft.notebook(draft.code(f"# {old}\n{draft.call(draft.literal)}"))
