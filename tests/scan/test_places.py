"""Where a credential stands and where nothing does: forms that a grid of other places and public notebooks showed."""

from __future__ import annotations

import json
import string
from random import Random

import pytest

from jupyter_qguard.scan import Scanner, ScanSettings

LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def value(seed: int, length: int = 40, alphabet: str = LETTERS) -> str:
    return "".join(Random(seed).choices(alphabet, k=length))


def uuid(seed: int) -> str:
    run = value(seed, 32, HEX)
    return f"{run[:8]}-{run[8:12]}-4{run[13:16]}-a{run[17:20]}-{run[20:]}"


KEY = value(11)
PASSWORD = f"Quantum{Random(12).randint(4100, 4900)}!"
TABLE = (
    "<table><thead>\n<tr><th></th>\n<th>{heading}</th>\n<th>shots</th></tr>\n</thead><tbody>\n"
    "<tr>\n<th>0</th>\n<td>{first}</td>\n<td>{second}</td>\n</tr>\n</tbody></table>"
)


def notebook(source="", html="", text="", cell_type="code", metadata=None):
    cell = {"cell_type": cell_type, "source": source, "metadata": metadata or {}}
    if cell_type == "code":
        bundle = {"text/html": html} if html else {"text/plain": text}
        shown = {"output_type": "display_data", "metadata": {}, "data": bundle}
        cell |= {"outputs": [shown] if html or text else [], "execution_count": None}
    return {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture(scope="module")
def scanner():
    return Scanner.load(ScanSettings(b"k" * 32))


def found(scanner, document):
    """The values found, put together from their parts; in the whole notebook and behind a look at its bytes alike."""
    document["cells"].append({"cell_type": "markdown", "metadata": {}, "source": "Lorem ipsum. " * 400})
    results = [scanner.scan_notebook(document), scanner.scan_bytes(json.dumps(document).encode(), "a.ipynb")]
    values = []
    for result in results:
        texts = []
        for finding in result.findings:
            node = document
            for step in finding.pointer.split("/")[1:]:
                node = node[int(step)] if isinstance(node, list) else node[step.replace("~1", "/")]
            texts.append("".join(node[start:end] for start, end in finding.spans))
        values.append(sorted(texts))
    assert values[0] == values[1]
    return values[0]


@pytest.mark.parametrize(
    "source",
    [
        f'token: str = field(default="{KEY}", repr=False)',
        f'api_key = SecretStr("{KEY}")',
        f"%%writefile a.yaml\napi_key: >-\n  {KEY}\n",
        f"!echo {KEY} | docker login registry.example -u maria --password-stdin",
        f'ionq_tokens = ["{KEY}"]',
        f'def get_api_key():\n    return "{KEY}"',
        f'api_key = lambda: "{KEY}"',
        f"!sed -i 's/^API_KEY=.*/API_KEY={KEY}/' .env",
        f"key = os.environ.get('LAB_API_KEY') or '{KEY}'",
        f'keyring.set_password("ionq", "maria", "{KEY}")',
        "token = '" + "".join(f"\\x{ord(char):02x}" for char in KEY) + "'",
    ],
)
def test_code_is_read(scanner, source):
    (text,) = found(scanner, notebook(source))
    assert text == KEY or "\\x" in text


@pytest.mark.parametrize(
    "source",
    [
        f'quandela_password = "{PASSWORD}"',
        f"%env LAB_PASSWORD={PASSWORD}",
        f'r = requests.get(url, auth=("maria", "{PASSWORD}"))',
        f"password = os.environ.get('LAB_PASSWORD') or '{PASSWORD}'",
    ],
)
def test_what_people_choose_about_their_work_is_a_password(scanner, source):
    assert found(scanner, notebook(source)) == [PASSWORD]


def test_a_diff_ends_an_empty_value_at_its_line(scanner):
    diff = f"-API_KEY=\n+API_KEY={KEY}\n"
    assert found(scanner, notebook("!git diff", text=diff)) == [KEY]


def test_a_page_breaks_a_word_where_it_shows_nothing(scanner):
    source = f"api_key: {KEY[:20]}\u200b{KEY[20:]}\n"
    assert found(scanner, notebook(source, cell_type="markdown"))[0].replace("\u200b", "") == KEY


def test_latex_writes_names_with_backslashes(scanner):
    source = f"$\\texttt{{api\\_key = {KEY}}}$"
    assert found(scanner, notebook(source, cell_type="markdown")) == [KEY]


def test_a_heading_in_html_names_its_column_and_no_other(scanner):
    own = TABLE.format(heading="api_key", first=KEY, second="1000")
    assert found(scanner, notebook("df", html=own)) == [KEY]


def test_a_sentence_in_a_table_is_no_heading(scanner):
    text = TABLE.format(heading="event", first="Change user password.", second=value(14, 9))
    rows = text.replace("</tbody>", f"<tr><th>1</th><td>{uuid(15)}</td><td>{uuid(16)}</td></tr></tbody>")
    assert found(scanner, notebook("df", html=rows)) == []


@pytest.mark.parametrize(
    "source",
    [
        f'user_password = os.getenv("PSQL_USERPW_{Random(17).randint(10, 99)}", "<my-user-password>")',
        "!gcloud alloydb clusters create {CLUSTER} --password={password} --region={REGION}",
        f'names = ["WIN-V7S", "Reset-AADPassword-{value(18, 6, string.digits)}", "{value(19, 24, HEX)}", "Client01"]',
        f"![plan](https://pages.example.net/plan.png?alt=media&token={uuid(20)})",
        f'url = "https://s.example.net/a?X-Goog-Credential=bqcx-{value(21, 12, string.digits)}-dy4t%40gcp"',
        'engine = create_engine("postgresql://postgres:postgres@localhost:5432/lab")',
        f'I.src="data:image/webp;base64,{value(22, 50)}AA="; // azure, the token',
        "from langchain.tools import DuckDuckGoSearchResults  # token",
        f'secrets = load("ShieldPassword.exe")  # {value(23, 64, HEX)}',
        f'integration_token = ("secret_key")\npage_ids = ["{value(24, 32, HEX)}"]',
        f"openai sync --token $T --id ftjob-{value(25, 24)}",
    ],
)
def test_what_only_stands_near_a_name_is_left_alone(scanner, source):
    kind = "markdown" if source.startswith("![") else "code"
    assert found(scanner, notebook(source, cell_type=kind)) == []


def test_a_tensor_below_a_printed_token_is_left_alone(scanner):
    shown = "tensor([[ 0.0740,  1.1383],\n        grad_fn=<AddBackward0>)\n"
    assert found(scanner, notebook("print(class_token)", text=shown)) == []


@pytest.mark.parametrize(
    ("source", "vendor"),
    [
        ('headers = {{"Authorization": "apiKey {}"}}  # api.ionq.co', "ionq"),
        ('h = {{"Authorization": "Bearer {}"}}  # https://resonance.iqm.tech', "iqm"),
        ('dwave_token = "{}"', "dwave"),
    ],
)
def test_a_finding_is_of_the_vendor_spoken_of(scanner, source, vendor):
    length = {"ionq": 32, "iqm": 64}.get(vendor)
    secret = value(26, length) if length else "DEV-" + value(27, 40, HEX)
    (finding,) = scanner.scan_notebook(notebook(source.format(secret))).findings
    assert finding.vendor == vendor


def test_of_two_kinds_of_a_call_the_one_that_the_value_has_is_named(scanner):
    source = f'QiskitRuntimeService(channel="ibm_quantum", token="{value(28, 128, HEX)}")'
    (finding,) = scanner.scan_notebook(notebook(source)).findings
    assert finding.vendor == "ibm_quantum_legacy"
