"""The scanner on whole notebooks: what is found, where exactly, and what is left alone."""

from __future__ import annotations

import base64
import string
from random import Random
from urllib.parse import quote

import pytest

from jupyter_qguard.errors import InputError
from jupyter_qguard.scan import Classification, Scanner, ScanSettings, SuppressionKind

LETTERS = string.ascii_letters + string.digits


def value(seed: int, length: int = 40, alphabet: str = LETTERS) -> str:
    return "".join(Random(seed).choices(alphabet, k=length))


def notebook(source="", outputs=(), metadata=None, cell_type="code", **cell_metadata):
    cell = {"cell_type": cell_type, "source": source, "metadata": cell_metadata}
    if cell_type == "code":
        cell |= {"outputs": list(outputs), "execution_count": None}
    return {"cells": [cell], "metadata": metadata or {}, "nbformat": 4, "nbformat_minor": 5}


def stream(text):
    return {"output_type": "stream", "name": "stdout", "text": text}


def data(**bundle):
    return {"output_type": "display_data", "metadata": {}, "data": {k.replace("__", "/"): v for k, v in bundle.items()}}


@pytest.fixture(scope="module")
def scanner():
    return Scanner.load(ScanSettings(b"k" * 32))


def only(scanner, document):
    (finding,) = scanner.scan_notebook(document).findings
    return finding


def test_an_assignment_is_found_with_its_exact_span(scanner):
    secret = value(1)
    finding = only(scanner, notebook(f'api_key = "{secret}"'))
    assert (finding.pointer, finding.spans) == ("/cells/0/source", ((11, 51),))
    assert secret not in repr(finding)


def test_lines_in_a_list_are_counted_as_joined(scanner):
    secret = value(2)
    finding = only(scanner, notebook(["import x\n", f'api_key = "{secret}"\n']))
    assert finding.spans == ((20, 60),)


def test_colours_inside_a_token_leave_two_parts(scanner):
    secret = value(3)
    text = f"api_key={secret[:20]}\x1b[31m{secret[20:]}\x1b[0m"
    finding = only(scanner, notebook("", [stream(text)]))
    assert "".join(text[a:b] for a, b in finding.spans) == secret


def test_tags_and_entities_inside_a_token_are_seen_through(scanner):
    secret = value(4)
    html = f"<p>api_key: <code>{secret[:10]}<wbr>&#{ord(secret[10])};{secret[11:]}</code></p>"
    finding = only(scanner, notebook("", [data(text__html=html)]))
    assert finding.spans[0][0] == html.index(secret[:10])
    assert finding.spans[-1][1] == html.index("</code>")


def test_a_split_literal_is_one_finding(scanner):
    secret = value(5)
    source = f'token = "{secret[:15]}" + \\\n    "{secret[15:]}"'
    finding = only(scanner, notebook(source))
    assert [source[a:b] for a, b in finding.spans] == [secret[:15], secret[15:]]


def test_a_literal_is_followed_into_a_call_in_a_later_cell(scanner):
    secret = value(6, 32)
    document = notebook(f'mine = "{secret}"')
    document["cells"].append({"cell_type": "code", "source": "IonQProvider(mine)", "metadata": {}, "outputs": []})
    finding = only(scanner, document)
    assert (finding.rule_id, finding.pointer, finding.spans) == ("ionq-api-key", "/cells/0/source", ((8, 40),))


def test_of_base64_the_whole_run_goes(scanner):
    run = base64.b64encode(f"LAB_API_KEY={value(7)}".encode()).decode()
    source = f'blob = "{run}"'
    assert only(scanner, notebook(source)).spans == ((8, 8 + len(run)),)


def test_percent_encoding_is_resolved(scanner):
    secret = value(8, 38) + "/+"
    text = f"https://host.example/v1?api_key={quote(secret, safe='')}&x=1"
    finding = only(scanner, notebook("", [stream(text)]))
    assert text[slice(*finding.spans[0])] == quote(secret, safe="")


def test_a_key_that_holds_a_secret_is_named_as_after_redaction(scanner):
    secret = value(9)
    finding = only(scanner, notebook("", [data(application__json={"jobs_by_token": {secret: 3}})]))
    assert finding.in_key
    assert secret not in finding.pointer
    assert finding.pointer.endswith(f"[redacted:{finding.rule_id}]")


def test_a_password_widget_names_its_value(scanner):
    state = {"ab": {"model_name": "PasswordModel", "state": {"_model_name": "PasswordModel", "value": "k9!qHRN8Kk"}}}
    widgets = {"application/vnd.jupyter.widget-state+json": {"state": state}}
    assert only(scanner, notebook(metadata={"widgets": widgets})).pointer.endswith("/ab/state/value")


def test_a_found_value_is_found_bare_elsewhere(scanner):
    secret = value(10)
    document = notebook(f'api_key = "{secret}"', [stream(f"done\n{secret}\n")])
    assert {f.pointer for f in scanner.scan_notebook(document).findings} == {
        "/cells/0/source",
        "/cells/0/outputs/0/text",
    }


def test_an_image_is_skipped_and_text_in_its_place_is_not(scanner):
    image = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(Random(1).randbytes(4000))).decode()
    assert not scanner.scan_notebook(notebook("", [data(image__png=image)])).findings
    assert scanner.scan_notebook(notebook("", [data(image__png=f'api_key = "{value(11)}"')])).findings


def test_nbformat_3_is_read(scanner):
    secret = value(12)
    cell = {"cell_type": "code", "input": f'api_key = "{secret}"', "outputs": [], "language": "python"}
    document = {"worksheets": [{"cells": [cell]}], "metadata": {}, "nbformat": 3, "nbformat_minor": 0}
    assert only(scanner, document).pointer == "/worksheets/0/cells/0/input"


@pytest.mark.parametrize(
    "source",
    [
        'token = "your-api-token-here"',
        'api_key = os.environ["IONQ_API_KEY"]',
        'password = getpass.getpass("Password: ")',
        f'job_id = "{value(1, 20, string.ascii_lowercase + string.digits)}"',
        f'sha256 = "{value(2, 64, "0123456789abcdef")}"',
        'uuid = "0123e456-7e89-42d3-a456-426614174000"',
        f'api_key = "{"01" * 30}"',
        'tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased-2019")',
        'api_key = "[redacted:ionq-api-key]"',
        f"ssh-rsa AAAA{value(3, 200)} user@host",
        f"!docker run -v $PWD:{value(4, 24)}",
        f"!cp $(pwd)/{value(5, 24)} out",
    ],
)
def test_what_is_no_secret_is_left_alone(scanner, source):
    assert not scanner.scan_notebook(notebook(source)).findings


@pytest.mark.parametrize("source", ['$pwd = "{}"', 'pwd = "{}"', 'export PWD="{}"', "$password: {}", '${{pwd}} = "{}"'])
def test_a_password_is_not_taken_for_the_working_folder(scanner, source):
    assert scanner.scan_notebook(notebook(source.format(value(6, 24)))).findings


@pytest.mark.parametrize(
    ("comment", "kind"),
    [
        ("# qguard: allow[generic-credential] a sample", SuppressionKind.INLINE),
        ("# pragma: allowlist secret", SuppressionKind.PRAGMA),
        ("# gitleaks:allow", SuppressionKind.PRAGMA),
    ],
)
def test_a_comment_suppresses_and_is_counted(scanner, comment, kind):
    result = scanner.scan_notebook(notebook(f'api_key = "{value(13)}"  {comment}'))
    assert not result.findings
    assert [item.kind for item in result.suppressed] == [kind]


def test_our_comment_needs_a_reason_and_the_right_rule(scanner):
    for comment in ("# qguard: allow[generic-credential]", "# qguard: allow[other-rule] why"):
        assert scanner.scan_notebook(notebook(f'api_key = "{value(14)}"  {comment}')).findings


def test_an_output_cannot_suppress_itself(scanner):
    text = f"api_key={value(15)}  # gitleaks:allow"
    assert scanner.scan_notebook(notebook("", [stream(text)])).findings


def test_a_cell_can_be_suppressed_by_its_metadata(scanner):
    own = {"allow": ["generic-credential"], "reason": "sample"}
    result = scanner.scan_notebook(notebook(f'api_key = "{value(16)}"', qguard=own))
    assert (len(result.findings), len(result.suppressed)) == (0, 1)


def test_a_notebook_states_its_class_and_the_highest_counts(scanner):
    document = notebook("1 + 1", metadata={"qguard": {"classification": "confidential"}})
    assert scanner.scan_notebook(document).classification is Classification.CONFIDENTIAL
    document["cells"][0]["source"] = f'api_key = "{value(17)}"'
    assert scanner.scan_notebook(document).classification is Classification.RESTRICTED


def test_what_classify_names_is_a_finding_and_else_a_label(scanner):
    crn = f"crn:v1:bluemix:public:quantum-computing:us-east:a/{value(1, 32, '0123456789abcdef')}:{'1' * 8}::"
    document = notebook("", [stream(f"instance {crn}\n")])
    plain = scanner.scan_notebook(document)
    assert [f.rule_id for f in plain.labels] == ["account_identifier"]
    assert not plain.findings
    named = Scanner.load(ScanSettings(b"k" * 32, {"account_identifier": Classification.CONFIDENTIAL}))
    assert [f.rule_id for f in named.scan_notebook(document).findings] == ["account_identifier"]


@pytest.mark.parametrize("document", [[], {}, {"cells": 3}, {"cells": [3]}, {"cells": [{"cell_type": 4}]}])
def test_what_is_no_notebook_is_refused_with_a_reason(scanner, document):
    with pytest.raises(InputError, match="notebook"):
        scanner.scan_notebook(document)


@pytest.mark.parametrize("data", [b"{", b"\xff\xfe\x00", b"[1]", b'{"cells": [', b"[" * 5000])
def test_a_malformed_file_is_an_input_error(scanner, data):
    with pytest.raises(InputError):
        scanner.scan_bytes(data, "x.ipynb")


def test_a_token_that_begins_a_piece_of_a_list_is_found_behind_a_letter(scanner):
    secret = "hf_" + value(31, 34, string.ascii_letters)
    finding = only(scanner, notebook("", [stream(["counts\n", "b", f"{secret}: done"])]))
    assert (finding.pointer, finding.spans) == ("/cells/0/outputs/0/text", ((8, 45),))
