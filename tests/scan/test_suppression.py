"""What is declared to be no secret: by which forms, where they count, and that each is counted."""

from __future__ import annotations

import pytest

from jupyter_qguard.scan import Classification, Scanner, ScanSettings, SuppressionKind
from tests.scan.test_scanner import data, notebook, stream, value

KEY = b"k" * 32
RULE = "generic-credential"
OWN = f"qguard: allow[{RULE}] a sample"
PRAGMAS = ["pragma: allowlist secret", "pragma allowlist secret", "gitleaks:allow"]


@pytest.fixture(scope="module")
def scanner():
    return Scanner.load(ScanSettings(KEY))


def line(seed: int) -> str:
    return f'api_key = "{value(seed)}"'


def told(result):
    """Kinds and reasons of what is suppressed; nothing may be found beside it."""
    assert not result.findings
    return [(item.kind, item.reason) for item in result.suppressed]


INLINE = {
    "behind": f"{line(1)}  # {OWN}",
    "above": f"# {OWN}\n{line(1)}",
    "above, indented": f"if True:\n    # {OWN}\n    {line(1)}",
    "one of several": f"{line(1)}  # qguard: allow[other-rule, {RULE}] a sample",
    "all": f"{line(1)}  # qguard: allow[*] a sample",
    "other comment before": f"{line(1)}  # noqa # {OWN}",
    "of another language": f"{line(1)} // {OWN}",
    "of HTML": f"{line(1)} <!-- {OWN} -->",
    "split over two lines": f'token = "{value(1)[:20]}" + \\\n    "{value(1)[20:]}"  # {OWN}',
}


@pytest.mark.parametrize("source", INLINE.values(), ids=INLINE)
def test_our_comment_counts_with_its_reason(scanner, source):
    assert told(scanner.scan_notebook(notebook(source))) == [(SuppressionKind.INLINE, "a sample")]


NOT_INLINE = {
    "without a reason": f"{line(2)}  # qguard: allow[{RULE}]",
    "with a blank for one": f"{line(2)}  # qguard: allow[{RULE}]   ",
    "with the end of a comment for one": f"{line(2)} <!-- qguard: allow[{RULE}] -->",
    "for another rule": f"{line(2)}  # qguard: allow[ionq-api-key] a sample",
    "for a part of the name": f"{line(2)}  # qguard: allow[generic] a sample",
    "for no rule": f"{line(2)}  # qguard: allow[] a sample",
    "two lines above": f"# {OWN}\n\n{line(2)}",
    "below": f"{line(2)}\n# {OWN}",
    "behind the line above": f"x = 1  # {OWN}\n{line(2)}",
}


@pytest.mark.parametrize("source", NOT_INLINE.values(), ids=NOT_INLINE)
def test_and_not_otherwise(scanner, source):
    result = scanner.scan_notebook(notebook(source))
    assert [finding.rule_id for finding in result.findings] == [RULE]
    assert not result.suppressed


@pytest.mark.parametrize("pragma", PRAGMAS)
@pytest.mark.parametrize("cell_type", ["code", "markdown", "raw"])
def test_the_pragmas_of_others_count_in_every_source(scanner, pragma, cell_type):
    result = scanner.scan_notebook(notebook(f"{line(3)}  # {pragma}", cell_type=cell_type))
    assert told(result) == [(SuppressionKind.PRAGMA, "")]


def test_the_pragma_for_the_next_line_counts_for_that_alone(scanner):
    source = f"# pragma: allowlist nextline secret\n{line(4)}\n{line(5)}"
    result = scanner.scan_notebook(notebook(source))
    assert [item.kind for item in result.suppressed] == [SuppressionKind.PRAGMA]
    assert [finding.line for finding in result.findings] == [3]


@pytest.mark.parametrize("comment", [OWN, *PRAGMAS])
def test_comments_count_in_text_files(scanner, comment):
    result = scanner.scan_text(f"{line(6)}  # {comment}\n{line(7)}\n")
    assert (len(result.suppressed), [finding.line for finding in result.findings]) == (1, [2])


OUTPUTS = {
    "stream": stream,
    "result": lambda text: data(text__plain=text),
    "HTML": lambda text: data(text__html=f"<pre>{text}</pre>"),
    "JSON": lambda text: data(application__json={"said": text}),
    "traceback": lambda text: {"output_type": "error", "ename": "E", "evalue": text, "traceback": []},
}


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
@pytest.mark.parametrize("comment", [OWN, *PRAGMAS])
def test_no_output_suppresses_itself(scanner, output, comment):
    result = scanner.scan_notebook(notebook("", [output(f"{line(8)}  # {comment}\n")]))
    assert result.findings
    assert not result.suppressed


def test_no_metadata_suppresses_itself_by_a_comment(scanner):
    result = scanner.scan_notebook(notebook("1", metadata={"note": f"{line(9)}  # {OWN}"}))
    assert result.findings
    assert not result.suppressed


def test_the_tag_of_a_cell_counts_for_all_of_it_and_no_other(scanner):
    document = notebook(line(10), [stream(f"{line(11)}\n")], tags=["other", "qguard-allow"])
    document["cells"] += notebook(line(12))["cells"]
    result = scanner.scan_notebook(document)
    assert [item.kind for item in result.suppressed] == [SuppressionKind.CELL] * 2
    assert [finding.cell.index for finding in result.findings] == [1]


@pytest.mark.parametrize(
    ("allow", "counts"),
    [([RULE], True), (["*"], True), (["other-rule"], False), ([], False), (RULE, False), (None, False), ({}, False)],
)
def test_the_metadata_of_a_cell_name_rules(scanner, allow, counts):
    result = scanner.scan_notebook(notebook(line(13), qguard={"allow": allow, "reason": "a sample"}))
    assert [(item.kind, item.reason) for item in result.suppressed] == [(SuppressionKind.CELL, "a sample")] * counts
    assert len(result.findings) == 1 - counts


def test_a_notebook_cannot_be_suppressed_whole(scanner):
    metadata = {"tags": ["qguard-allow"], "qguard": {"allow": ["*"], "reason": "all of it"}}
    assert scanner.scan_notebook(notebook(line(14), metadata=metadata)).findings


def test_what_is_suppressed_does_not_raise_the_class(scanner):
    result = scanner.scan_notebook(notebook(f"{line(15)}  # {OWN}"))
    assert result.classification is Classification.PUBLIC


@pytest.mark.parametrize("own", ["account_identifier", "*"])
def test_what_the_policy_classifies_is_suppressed_like_a_secret(own):
    scanner = Scanner.load(ScanSettings(KEY, {"account_identifier": Classification.CONFIDENTIAL}))
    account = f"amazon-braket-eu-north-1-{value(16, 12, '0123456789')}"
    result = scanner.scan_notebook(notebook(f"bucket = '{account}'  # qguard: allow[{own}] public"))
    assert told(result) == [(SuppressionKind.INLINE, "public")]
    assert scanner.scan_notebook(notebook(f"bucket = '{account}'")).findings
    tagged = notebook("", [stream(account)], tags=["qguard-allow"])
    assert [kind for kind, _ in told(scanner.scan_notebook(tagged))] == [SuppressionKind.CELL]
