"""Secrets in the source of code cells."""

from __future__ import annotations

import re

from benchmarks.draft import Draft, Notebook
from benchmarks.marks import Lines
from benchmarks.places.registry import place

_TEMPLATES = {
    "keyword_argument": "$CALL\nprint(type(client) if 'client' in dir() else 'ready')",
    "commented_call": "# $CALL\nservice = load_saved_account()",
    "trailing_comment": "client = connect()  # $TITLE $FIELD: $R",
    "assignment": "$NAME = $V",
    "assignment_single_quoted": "$NAME='$J'",
    "assignment_upper": "$UPPER = $V\nSHOTS = 1000",
    "assignment_camel": "$CAMEL = $V",
    "assignment_my": "my_$NAME = $V",
    "assignment_annotated": "$NAME: str = $V",
    "assignment_attribute": "config.$NAME = $V",
    "assignment_tuple": 'user, $NAME = "maria", $V',
    "assignment_raw_string": "$NAME = r'$R'",
    "assignment_bytes": '$NAME = b"$J"',
    "assignment_walrus": "if ($NAME := $V):\n    print('ok')",
    "assignment_setattr": "setattr(config, '$NAME', $V)",
    "assignment_fallback": 'import os\n$NAME = os.getenv("$ENV") or $V',
    "environment_fallback": "import os\n$NAME = os.environ.get('$ENV', $V)",
    "default_argument": "def connect($NAME=$V, retries=3):\n    return open_client($NAME)",
    "argparse_default": "parser.add_argument('--$CAMEL', default=$V, help='$TITLE access')",
    "dict_literal": "config = {\n    'shots': 1000,\n    '$FIELD': $V,\n    'optimization_level': 3,\n}",
    "dict_call": "options = dict(shots=1000, $NAME=$V)",
    "dict_item": "settings['$SECTION']['$FIELD'] = $V",
    "class_attribute": "class Settings:\n    url = '$URL'\n    $NAME = $V",
    "docstring": 'def run():\n    """Run on $TITLE.\n\n    Uses $NAME = $R\n    """\n    return 1',
    "triple_quoted_config": "config = '''\n[$SECTION]\n$FIELD = $R\nshots = 1000\n'''",
    "json_in_string": 'account = json.loads(\'{"url": "$URL", "$FIELD": "$J"}\')',
    "environ_item": 'import os\nos.environ["$ENV"] = $V',
    "environ_update": "os.environ.update({'$ENV': $V, 'OMP_NUM_THREADS': '4'})",
    "environ_setdefault": "os.environ.setdefault('$ENV', $V)",
    "putenv": "os.putenv('$ENV', $V)",
    "env_magic": "%env $ENV=$R",
    "env_magic_space": "%env $ENV $R",
    "set_env_magic": "%set_env $ENV=$R",
    "shell_export": "!export $ENV=$R && python run.py",
    "bash_cell": "%%bash\nexport $ENV='$R'\npython submit.py --shots 1000",
    "shell_prefix": "!$ENV=$R python submit.py",
    "shell_option": "!qcli login --$FIELD $R --region us-east-1",
    "papermill_command": "!papermill in.ipynb out.ipynb -p $NAME $R -p shots 1000",
    "docker_env": "!docker run --rm -e $ENV=$R lab/runner:latest",
    "url_query": 'r = requests.get("$URL?$QUERY=$U&limit=10")',
    "url_basic_auth": 'r = requests.get("https://maria:$U@$HOST/jobs")',
    "requests_auth": 'r = requests.get(url, auth=("maria@lab.example.org", $V))',
    "data_body": 'r = requests.post(url, json={"user": "maria", "$FIELD": $V})',
    "widget_default": "field = widgets.Password(value=$V, description='$FIELD')",
    "papermill_parameters": "# parameters\nbackend = 'simulator'\n$NAME = $V",
    "print_call": 'print("$NAME is $J")',
    "assertion": "assert client.$NAME == $V",
    "subprocess_argument": "subprocess.run(['qcli', 'login', '--$FIELD', $V], check=True)",
}
_MULTILINE = {
    "keyword_argument", "commented_call", "assignment", "assignment_upper", "assignment_annotated", "dict_literal",
    "environ_item", "dict_item", "default_argument", "class_attribute", "environ_update", "data_body",
    "json_in_string", "assignment_fallback",
}  # fmt: skip
_HEADERS = {
    "header_dict": 'headers = {"$HEADER": "$HEADER_VALUE", "Accept": "application/json"}',
    "header_inline": "r = requests.get(\"$URL\", headers={'$HEADER': '$HEADER_VALUE'}, timeout=10)",
    "header_update": 'session.headers.update({"$HEADER_LOWER": "$HEADER_VALUE"})',
    "header_item": 'session.headers["$HEADER"] = "$HEADER_VALUE"',
    "curl": '!curl -s -H "$HEADER: $HEADER_VALUE" $URL',
    "curl_multiline": "!curl -X POST $URL \\\n  -H 'Content-Type: application/json' \\\n  -H '$HEADER: $HEADER_VALUE'",
    "http_raw_text": "%%writefile request.http\nGET $URL HTTP/1.1\n$HEADER: $HEADER_VALUE\nAccept: */*\n",
}


def _template(name: str, template: str, needs: tuple[str, ...]) -> None:
    @place(name, needs=needs, multiline=name in _MULTILINE, whole=name in {"url_basic_auth", "requests_auth"})
    def build(draft: Draft) -> Notebook:
        return draft.notebook(draft.code(draft.expand(template)))


for _name, _text in _TEMPLATES.items():
    _template(_name, _text, ("url",) if "$URL" in _text or "$HOST" in _text else ())
for _name, _text in _HEADERS.items():
    _template(_name, _text, ("header", "url"))


@place("positional_argument", needs=("positional",))
def _positional(draft: Draft) -> Notebook:
    setup = draft.credential.positional_setup
    return draft.notebook(draft.code(draft.expand("$POSITIONAL")), setup=setup)


@place("commented_positional", needs=("positional",))
def _commented_positional(draft: Draft) -> Notebook:
    code = "# once only:\n#" + draft.expand("$POSITIONAL")
    return draft.notebook(draft.code(code), setup=draft.credential.positional_setup)


@place("import_in_same_cell", multiline=True)
def _same_cell(draft: Draft) -> Notebook:
    return draft.notebook(draft.code(draft.expand(draft.credential.setup + "\n\n$CALL")), setup="import numpy as np")


@place("multiline_call", multiline=True)
def _multiline_call(draft: Draft) -> Notebook:
    call = re.sub(r"\((?=[^()]*\$V)", "(\n    ", draft.credential.call, count=1)
    call = re.sub(r", (?=\w+=)", ",\n    ", call)
    return draft.notebook(draft.code(call.replace("$V", draft.literal)))


@place("triple_quoted_key")
def _triple_quoted(draft: Draft) -> Notebook:
    return draft.notebook(draft.code(draft.expand('$NAME = """$R"""\n') + draft.call(draft.credential.name)))


@place("assignment_then_use_in_cell", multiline=True)
def _then_use(draft: Draft) -> Notebook:
    return draft.notebook(draft.code(f"key = {draft.literal}\n{draft.call('key')}"))


@place("assignment_then_use_in_later_cell", multiline=True)
def _later_use(draft: Draft) -> Notebook:
    first, second = draft.code(f"k1 = {draft.literal}"), draft.code(draft.call("k1"))
    return draft.notebook(first, draft.prose("Now connect."), second)


@place("assignment_then_positional_use_later", needs=("positional",))
def _later_positional(draft: Draft) -> Notebook:
    use = draft.credential.positional.replace("$V", "mine")
    cells = draft.code(f"mine = {draft.literal}"), draft.code(use)
    return draft.notebook(*cells, setup=draft.credential.positional_setup)


@place("dict_then_use_in_later_cell", multiline=True)
def _dict_then_use(draft: Draft) -> Notebook:
    first = draft.code(f"conf = {{'k': {draft.literal}, 'shots': 100}}")
    return draft.notebook(first, draft.code(draft.call("conf['k']")))


@place("assignment_then_header_in_later_cell", needs=("header", "url"))
def _later_header(draft: Draft) -> Notebook:
    name, value = draft.credential.header.split(": ", 1)
    use = f"requests.get('{draft.credential.url}', headers={{'{name}': f'{value.replace('$R', '{x}')}'}})"
    return draft.notebook(draft.code(f"x = {draft.literal}"), draft.code(use))


@place("keyword_unpacking", multiline=True)
def _unpacking(draft: Draft) -> Notebook:
    match = re.search(r"(\w+)=\$V", draft.credential.call)
    name = match.group(1) if match else draft.credential.field
    return draft.notebook(draft.code(f"kwargs = {{'{name}': {draft.literal}}}\nclient = connect(**kwargs)"))


@place("line_list_split_in_token")
def _odd_lines(draft: Draft) -> Notebook:
    cell = draft.code("")
    source = draft.expand("import os\nos.environ['$ENV'] = $V\nprint('set')")
    middle = source.index(draft.secret) + len(draft.secret) // 2
    cell["source"] = Lines([source[:10], source[10:middle], source[middle:]])
    return draft.notebook(cell)


def _language(name: str, template: str, language: str) -> None:
    @place(name)
    def build(draft: Draft) -> Notebook:
        spec = {"display_name": language, "language": language, "name": language.lower()}
        made = draft.notebook(draft.code(draft.expand(template)), metadata={"kernelspec": spec})
        made["metadata"]["language_info"] = {"name": language}
        return made


_language("r_setenv", "Sys.setenv($ENV = $V)", "R")
_language("r_assignment", "$NAME <- $V", "R")
_language("julia_env", 'ENV["$ENV"] = $V', "julia")
_language("javascript_const", "const $CAMEL = $V;", "javascript")
_language("powershell_env", "$" + "env:$ENV = $V", "PowerShell")
