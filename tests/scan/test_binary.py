"""What is binary, what is text, and that neither hides the other."""

from __future__ import annotations

import json
import pickle
import random
import sqlite3
import struct
import zlib
from pathlib import Path

import pytest

from jupyter_qguard.errors import InputError
from jupyter_qguard.scan import Scanner, ScanSettings
from jupyter_qguard.scan.binary import is_binary
from jupyter_qguard.scan.text import decode_text, encode_text
from tests.server.planted import line, make_secret

_DRAW = random.Random(5)
_WORDS = "naïve texts, αβγ: 1 = 2\n"
_WIDE = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")


def _npy(kind: str, data: bytes) -> bytes:
    return b"\x93NUMPY\x01\x00v\x00" + f"{{'descr': '{kind}', 'shape': (9,), }}".ljust(117).encode() + b"\n" + data


def _safetensors(layers: int) -> bytes:
    header = json.dumps({f"layer.{number}.weight": {"dtype": "F32", "shape": [64, 64]} for number in range(layers)})
    floats = struct.pack("<150000f", *[_DRAW.gauss(0, 1) for _ in range(150_000)])
    return struct.pack("<Q", len(header)) + header.encode() + floats


def _sqlite(folder: Path, text: str) -> bytes:
    file = folder / "data.sqlite"
    with sqlite3.connect(file) as database:
        database.execute("create table notes (number integer, text text)")
        database.executemany("insert into notes values (?, ?)", [(number, text) for number in range(1000)])
    database.close()
    return file.read_bytes()


_NOISE = zlib.compress(_DRAW.randbytes(200_000))
_DOUBLES = struct.pack("<50000d", *[_DRAW.gauss(0, 1) for _ in range(50_000)])
_SHORTS = struct.pack("<50000h", *[_DRAW.randrange(-300, 300) for _ in range(50_000)])
BINARY = {
    "safetensors": _safetensors(10),
    "safetensors with a long header": _safetensors(2000),
    "doubles": _npy("<f8", _DOUBLES),
    "zeros": _npy("<f8", bytes(400_000)),
    "small numbers": _npy("<i2", _SHORTS),
    "picture with text": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(13) + b"tEXtSoftware matplotlib " * 500 + _NOISE,
    "pdf": b"%PDF-1.4\n" + b"1 0 obj << /Type /Catalog >> endobj\n" * 3000 + _NOISE,
    "zip": b"PK\x03\x04" + bytes(26) + _NOISE,
    "pickle": pickle.dumps({f"name {number}": _DRAW.random() for number in range(3000)}),
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(64) + _NOISE,
    "begins like UTF-16 LE": b"\xff\xfe\0" + _DRAW.randbytes(100_000),
    "begins like UTF-16 BE": b"\xfe\xff\0" + _DRAW.randbytes(100_000),
    "a translation": b"\xde\x12\x04\x95" + bytes(24) + b"Enter password:\0The password is wrong\0" * 300,
}


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner.load(ScanSettings(b"k" * 32))


@pytest.mark.parametrize("data", BINARY.values(), ids=BINARY.keys())
def test_binary_files_are_binary_and_nothing_is_found_in_them(scanner: Scanner, data: bytes) -> None:
    assert is_binary(data)
    assert scanner.scan_bytes(data, "file").findings == ()
    with pytest.raises(InputError, match="binary"):
        decode_text(data)


def test_a_database_is_binary(tmp_path: Path) -> None:
    assert is_binary(_sqlite(tmp_path, _WORDS))


@pytest.mark.parametrize("codec", _WIDE)
def test_wide_text_is_text_with_a_mark_or_without(scanner: Scanner, codec: str) -> None:
    secret = make_secret(codec)
    data = (_WORDS + line(secret)).encode(codec)
    assert not is_binary(data)
    assert encode_text(decode_text(data), data) == data
    assert len(scanner.scan_bytes(data, "file").findings) == 1
    odd = data + b"\n"
    assert encode_text(decode_text(odd), odd) == odd


@pytest.mark.parametrize("nuls", [b"\0", bytes(3000)], ids=["one", "a hole"])
@pytest.mark.parametrize("before", [True, False])
def test_nuls_hide_no_text(scanner: Scanner, nuls: bytes, *, before: bool) -> None:
    text = line(make_secret("a hole")).encode() + b"words\n" * 300
    data = nuls + text if before else text + nuls
    assert not is_binary(data)
    assert len(scanner.scan_bytes(data, "file").findings) == 1
    assert encode_text(decode_text(data), data) == data


@pytest.mark.parametrize("kind", ["pickle", "sqlite", "picture", "wide"])
def test_a_secret_in_the_clear_is_found_in_a_binary_file(scanner: Scanner, tmp_path: Path, kind: str) -> None:
    text = line(make_secret("embedded"))
    data = {
        "pickle": lambda: pickle.dumps({"numbers": list(range(1000)), "settings": text, "more": [1.5] * 50}),
        "sqlite": lambda: _sqlite(tmp_path, text),
        "picture": lambda: BINARY["picture with text"] + text.encode() + _NOISE,
        "wide": lambda: BINARY["zip"] + text.encode("utf-16-le") + _NOISE,
    }[kind]()
    assert is_binary(data)
    assert scanner.scan_bytes(data, "file").findings


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff", b""], ids=["LE", "BE", "none"])
@pytest.mark.parametrize("shift", [0, 1])
def test_a_text_in_two_encodings_hides_nothing(scanner: Scanner, codec: str, mark: bytes, shift: int) -> None:
    secret = make_secret("two encodings")
    narrow, wide = line(secret).encode(), (_WORDS * 9).encode(codec)
    hidden = mark + b"\n" * shift + line(secret).encode(codec) + b"words and words\n" * 30
    for data in (mark + narrow + b"\n" * shift + wide, mark + b"\n" * shift + wide + narrow, hidden):
        assert _found_or_refused(scanner, data)


def _found_or_refused(scanner: Scanner, data: bytes) -> bool:
    try:
        return bool(scanner.scan_bytes(data, "file").findings)
    except InputError:
        return True
