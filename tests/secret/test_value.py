"""A value shows itself to nobody who does not ask for it by name."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import pickle
import traceback

import msgspec
import pytest
import yaml
from rich.console import Console
from rich.traceback import Traceback

from jupyter_qguard.secret import SecretValue

VALUE = "correct horse battery staple"


@pytest.mark.parametrize(
    "act",
    [
        str,
        "{}".format,
        lambda value: f"{value}",
        lambda value: f"{value!s:>10}",
        lambda value: "%s" % value,  # noqa: UP031 - that way of writing, too
        lambda value: str.join("", [value]),
        lambda value: "Bearer " + value,
        copy.copy,
        copy.deepcopy,
        pickle.dumps,
        json.dumps,
        msgspec.json.encode,
        msgspec.to_builtins,
        bytes,
        list,
        len,
        hash,
        vars,
        dict,
        lambda value: yaml.safe_dump({"key": value}),
        lambda value: dataclasses.asdict(Holder(value)),
    ],
)
def test_a_value_becomes_no_text_no_copy_and_no_file(act):
    with pytest.raises((TypeError, yaml.YAMLError)) as caught:
        act(SecretValue(VALUE))
    assert "horse" not in str(caught.value)


@dataclasses.dataclass
class Holder:
    held: SecretValue


def test_a_value_is_not_shown():
    value = SecretValue(VALUE)
    shown = [
        repr(value),
        repr([value]),
        repr({"a": value}),
        f"{value!r}",
        ascii(value),
        repr(Holder(value)),
    ]
    assert not any("horse" in text for text in shown)


def test_no_traceback_with_local_variables_shows_it():
    def fail(value):
        raise RuntimeError(f"on purpose {value!r}")

    try:
        fail(SecretValue(VALUE))
    except RuntimeError as error:
        told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
        console = Console(file=io.StringIO(), width=200)
        console.print(Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True))
        told += console.file.getvalue()
    assert "on purpose" in told
    assert "horse" not in told


def test_equal_values_are_equal_and_nothing_else_is():
    assert SecretValue(VALUE) == SecretValue(VALUE)
    assert SecretValue(VALUE) != SecretValue(VALUE + " ")
    assert SecretValue(VALUE) != VALUE


def test_a_wiped_value_is_gone_and_an_empty_one_is_none():
    value = SecretValue(VALUE)
    assert value.reveal() == VALUE
    value.wipe()
    value.wipe()
    with pytest.raises(ValueError, match="wiped"):
        value.reveal()
    with pytest.raises(ValueError, match="empty"):
        SecretValue("")
