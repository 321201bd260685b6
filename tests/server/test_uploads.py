"""The spool of unfinished uploads: what it takes, what it forgets, and how it hands a whole one on."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.server import uploads
from jupyter_qguard.server.refusal import RefusedError
from jupyter_qguard.server.uploads import Upload, UploadSpool, file_models, pending_model


class Clock:
    """Stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def spool(tmp_path: Path, clock: Clock) -> Iterator[UploadSpool]:
    made = UploadSpool(tmp_path / "not there yet", 1000, clock)
    yield made
    made.close()


def take(spool: UploadSpool, number: Any, text: str = "a", path: str = "f.txt", **keys: Any) -> Upload | None:
    model = {"type": "file", "format": "text", "content": text, "chunk": number, **keys}
    return spool.accept(model, path)


def test_a_whole_upload_is_its_chunks_in_order(spool: UploadSpool) -> None:
    assert take(spool, 1, "one ") is None
    assert take(spool, 2, base64.b64encode(b"two ").decode(), format="base64") is None
    done = take(spool, -1, "three", path="/f.txt/")
    assert done is not None
    assert done.submission().data == b"one two three"
    assert done.path == "f.txt"
    done.close()


@pytest.mark.parametrize(
    "model",
    [
        {"chunk": True},
        {"chunk": "1"},
        {"chunk": 0},
        {"chunk": 1, "type": "notebook"},
        {"chunk": 1, "type": "directory"},
        {"chunk": 1, "format": "json"},
        {"chunk": 1, "format": None},
        {"chunk": 1, "format": "base64", "content": "é"},
        {"chunk": 1, "content": None},
        {"chunk": 1, "content": "\ud800"},
        {"chunk": 2},
        {"chunk": -1},
        {"chunk": 1, "content": "a" * 1001},
    ],
)
def test_a_chunk_that_makes_no_sense_is_refused(spool: UploadSpool, model: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="Nothing was written"):
        spool.accept({"type": "file", "format": "text", "content": "a", **model}, "f.txt")


def test_a_chunk_out_of_turn_ends_the_upload(spool: UploadSpool) -> None:
    take(spool, 1)
    for number in (3, 2):
        with pytest.raises(RefusedError):
            take(spool, number)


def test_an_upload_is_given_up_after_an_hour(spool: UploadSpool, clock: Clock) -> None:
    take(spool, 1, "a" * 900)
    clock.now = 3599.0
    take(spool, 2)
    clock.now += 3601.0
    take(spool, 1, "b" * 900, path="other.txt")  # has room again
    with pytest.raises(RefusedError, match="given up"):
        take(spool, 3)


def test_only_so_many_are_open_at_once(spool: UploadSpool) -> None:
    for number in range(64):
        take(spool, 1, "", path=f"{number}.txt")
    with pytest.raises(RefusedError, match="64 uploads"):
        take(spool, 1, "", path="one more.txt")
    done = take(spool, -1, "", path="0.txt")
    assert done is not None
    done.close()
    take(spool, 1, "", path="one more.txt")


def test_the_spool_keeps_nothing_when_it_is_closed(spool: UploadSpool, tmp_path: Path) -> None:
    take(spool, 1)
    assert (tmp_path / "not there yet").stat().st_mode & 0o77 == 0
    spool.close()
    with pytest.raises(RefusedError):
        take(spool, -1)
    assert list((tmp_path / "not there yet").iterdir()) == []


@given(st.binary(max_size=40), st.integers(min_value=1, max_value=12))
def test_models_hand_on_all_bytes_in_order(data: bytes, piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uploads, "_PIECE", piece)
        models = list(file_models(io.BytesIO(data), len(data), in_chunks=True))
    assert b"".join(base64.b64decode(model["content"]) for model in models) == data
    numbers = [model.get("chunk") for model in models]
    assert numbers == ([None] if len(data) <= piece else [*range(1, len(models)), -1])


def test_without_chunks_one_model_holds_all() -> None:
    (model,) = file_models(io.BytesIO(b"abc"), 3, in_chunks=False)
    assert base64.b64decode(model["content"]) == b"abc"
    assert "chunk" not in model


def test_the_answer_to_a_chunk_is_a_model_without_content() -> None:
    model = pending_model("/folder/f.txt")
    assert (model["name"], model["path"], model["content"]) == ("f.txt", "folder/f.txt", None)
