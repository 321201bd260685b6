"""The look at raw bytes may cost time, and must never cost a finding."""

from __future__ import annotations

import base64
import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.credentials import load_credentials
from benchmarks.grid import make_case
from benchmarks.places import PLACES
from jupyter_qguard.errors import InputError
from jupyter_qguard.scan import Scanner, ScanSettings
from jupyter_qguard.scan.glancer import SMALLEST
from jupyter_qguard.scan.ruleset import load_ruleset
from tests.property.strategies import cases, notebooks

SCANNER = Scanner.load(ScanSettings(b"k" * 32))
PROSE = {"cell_type": "markdown", "metadata": {}, "source": "A qubit is measured in the computational basis.\n" * 60}
"""Enough that a notebook is looked at before it is read."""
WRITERS = [
    pytest.param({"ensure_ascii": False, "indent": 1}, id="as Jupyter writes"),
    pytest.param({"ensure_ascii": True, "indent": 1}, id="in ASCII"),
    pytest.param({"ensure_ascii": False, "separators": (",", ":")}, id="in one line"),
]


def padded(document):
    cells = [PROSE, *document["cells"], PROSE] if "cells" in document else None
    return {**document, "cells": cells} if cells else document


def shown(result):
    return result.findings, result.suppressed, result.labels, result.stated


def assert_equal_results(document, writer):
    data = json.dumps(document, **writer).encode("utf-8", "surrogatepass")
    try:
        whole = shown(SCANNER.scan_notebook(json.loads(data.decode("utf-8"))))
    except (InputError, UnicodeDecodeError, ValueError):
        with pytest.raises(InputError):
            SCANNER.scan_bytes(data, "a.ipynb", glance=True)
        return
    assert shown(SCANNER.scan_bytes(data, "a.ipynb", glance=True)) == whole


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("place", list(PLACES.values()), ids=lambda place: place.name)
def test_nothing_in_any_place_is_overlooked(place, writer):
    fitting = [credential for credential in load_credentials() if place.suits(credential)]
    for credential in Random(f"glance {place.name}").sample(fitting, min(2, len(fitting))):
        assert_equal_results(padded(make_case(credential, place).notebook), writer)


@settings(max_examples=80, deadline=None)
@given(cases, st.sampled_from([writer.values[0] for writer in WRITERS]))
def test_nothing_in_fresh_notebooks_is_overlooked(case, writer):
    assert_equal_results(padded(case.notebook), writer)


@settings(max_examples=60, deadline=None)
@given(notebooks)
def test_any_notebook_gives_the_same_as_without_a_look(document):
    assert_equal_results(padded(document), WRITERS[0].values[0])


@pytest.mark.parametrize(
    "written",
    [
        r'{"cell_type":"code","metadata":{},"outputs":[],"source":"\u0061pi_key = \u0022%s\u0022"}',
        r'{"cell_type":"code","metadata":{},"outputs":[],"source":"x\napi_key = \"%s\""}',
        r'{"cell_type":"raw","metadata":{},"source":"https:\/\/me:%s@lab.example\/x"}',
        r'{"cell_type":"raw","metadata":{"token":"%s"},"source":""}',
        r'{"cell_type":"raw","metadata":{},"source":"","%s":{"api_key":"%s"}}',
        r'{"cell_type":"raw","metadata":{"lab":{"auth":"%s"}},"source":""}',
        r'{"cell_type":"raw","metadata":{"lab":["--auth", "%s"]},"source":""}',
        r'{"cell_type":"raw","metadata":{"lab":{"hubAuth":"%s"}},"source":""}',
        r'{"cell_type":"raw","metadata":{"lab":{"LAB_PAT":"%s"}},"source":""}',
        r'{"cell_type":"raw","metadata":{"lab":{"my pat":"%s"}},"source":""}',
        r'{"cell_type":"raw","metadata":{"lab":{"tokenizer_pat":"%s"}},"source":""}',
        r'{"cell_type":"markdown","metadata":{},"source":"the api key is \u001b[31m%s\u001b[0m"}',
    ],
)
def test_however_json_is_written_the_cell_is_read(written):
    value = "".join(Random(written).choices("abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=40))
    cells = f"[{json.dumps(PROSE)},{written.replace('%s', value)}]"
    data = f'{{"nbformat":4,"nbformat_minor":5,"metadata":{{}},"cells":{cells}}}'
    assert SCANNER.scan_bytes(data.encode(), "a.ipynb", glance=True).findings


def test_what_is_no_image_is_not_skipped_as_one():
    value = "".join(Random(3).choices("abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=40))
    output = {"output_type": "display_data", "metadata": {}, "data": {"image/png": f"api_key = '{value}'"}}
    cell = {"cell_type": "code", "metadata": {}, "source": "", "outputs": [output]}
    data = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [PROSE, cell]})
    assert SCANNER.scan_bytes(data.encode(), "a.ipynb", glance=True).findings


@pytest.mark.parametrize("broken", ["\\A", "\\"])
def test_a_notebook_that_is_broken_within_an_image_is_an_error_all_the_same(broken):
    image = base64.b64encode(b"\x89PNG\r\n\x1a\n" + Random(4).randbytes(120)).decode()
    output = {"output_type": "display_data", "metadata": {}, "data": {"image/png": image}}
    cell = {"cell_type": "code", "metadata": {}, "source": "", "outputs": [output]}
    data = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [PROSE, cell, PROSE]})
    with pytest.raises(InputError):
        SCANNER.scan_bytes(data.replace(image, image[:-8] + broken).encode(), "a.ipynb", glance=True)


def test_what_is_only_labelled_is_labelled_as_by_reading_it():
    arn = "arn:aws:sagemaker:us-east-1:" + "".join(Random(5).choices("123456789", k=12)) + ":image/lab"
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"instance": arn}, "cells": [PROSE]}
    glance = SCANNER._glancer.look(json.dumps(padded(document)).encode())
    assert glance is not None
    assert glance.only_labels
    assert SCANNER.scan_notebook(padded(document)).labels
    assert_equal_results(padded(document), WRITERS[0].values[0])


def test_cells_in_which_nothing_stands_are_not_read():
    data = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [PROSE] * 3}).encode()
    assert len(data) > SMALLEST
    glance = SCANNER._glancer.look(data)
    assert glance is not None
    assert not glance.units()


def test_a_malformed_cell_in_which_nothing_stands_is_an_error_all_the_same():
    cells = [PROSE, {"cell_type": 5, "source": ""}]
    data = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()
    with pytest.raises(InputError, match="cell_type"):
        SCANNER.scan_bytes(data, "a.ipynb", glance=True)


def test_no_shape_that_needs_its_vendors_company_is_shorter_than_what_is_looked_for():
    rules = [rule for of_vendor in load_ruleset().ambiguous.values() for rule in of_vendor]
    assert rules
    for rule in rules:
        assert rule.shape is not None
        assert not any(rule.fits(("Ab3" * 8)[:length]) for length in range(24)), rule.id
