"""``python -m tests.fuzz.wire``: hostile bytes for what reads requests, TLS greetings, questions for names and of kernels.

Each input is a valid one, damaged, cut, repeated or joined with another. A parser answers, waits for more or refuses with
a :class:`~jupyter_qguard.egress.errors.WireError` (of a kernel's request with an InputError): anything else is a
violation, and so is a name that is told an address without being allowed.
"""

from __future__ import annotations

import random
import sys
from time import perf_counter
from typing import TYPE_CHECKING

import click

from jupyter_qguard.egress.errors import WireError
from jupyter_qguard.egress.hello import MAX_HELLO, parse_hello
from jupyter_qguard.egress.names import NameTable, answer_question
from jupyter_qguard.egress.request import MAX_HEAD, parse_request
from jupyter_qguard.errors import InputError
from jupyter_qguard.gateway.asked import number_of, parse_asked
from jupyter_qguard.policy.host import HostPattern
from tests.egress.greetings import fragmented, greeting

if TYPE_CHECKING:
    from jupyter_qguard.policy.host import Host

ALLOWED = HostPattern.parse("*.example.org")
_HELLO = greeting("a.example.org")
_QUESTION = b"\xab\xcd\x01\x00\x00\x01" + bytes(6) + b"\x01a\x07example\x03org\x00\x00\x01\x00\x01"
SEEDS = (
    b"CONNECT a.example.org:443 HTTP/1.1\r\nHost: a.example.org:443\r\n\r\n",
    b"GET http://a.example.org:80/x?y HTTP/1.1\r\nHost: a.example.org\r\nContent-Length: 3\r\n\r\nabc",
    _HELLO,
    fragmented(_HELLO, 97),
    _QUESTION,
    b'{"v":1,"id":12,"op":"explain","host":"https://a.example.org:8443/x"}',
    b'{"v":1,"id":9007199254740991,"op":"refusals"}',
)


def hostile(source: random.Random) -> bytes:
    """One input."""
    data = bytearray(source.choice(SEEDS))
    for _ in range(source.randint(0, 6)):
        at = source.randrange(len(data) + 1)
        match source.randrange(5):
            case 0:
                data[at : at + 1] = bytes((source.randrange(256),))
            case 1:
                del data[at : at + source.randint(1, 40)]
            case 2:
                data[at:at] = source.choice(SEEDS)[: source.randint(1, 200)]
            case 3:
                data[at:at] = source.choice(
                    (b"\r\n", b"\0", b"\xff\xff", b"\x00\x00", b"Host: b\r\n", b".", b"[[[[", b'{"id":')
                )
            case _:
                data[at:at] = data[: source.randint(1, 60)]
    return bytes(data)


def violation(data: bytes) -> str:
    """What is wrong with how *data* is read; empty if nothing is."""
    told: list[Host] = []

    def allowed(host: Host) -> bool:
        told.append(host)
        return ALLOWED.matches(host)

    table = NameTable()
    for name, read in (
        ("request", lambda: parse_request(data)),
        ("greeting", lambda: parse_hello(data)),
        ("question", lambda: answer_question(data, table, allowed)),
        ("asked", lambda: (number_of(data), parse_asked(data))),
    ):
        try:
            found = read()
        except (WireError, InputError) as error:
            if not str(error).isascii() or len(str(error)) > 110:
                return f"{name}: a message that repeats the input"
        except Exception as error:  # noqa: BLE001 - that there is none other is what is tried
            return f"{name}: {type(error).__name__}"
        else:
            if found is None and len(data) > max(MAX_HEAD, MAX_HELLO):
                return f"{name}: waits without a bound"
    if any(table.host_at(str(table.address_of(host))) != host for host in told if ALLOWED.matches(host)):
        return "question: an address of another name"
    return ""


@click.command()
@click.option("--count", default=1_000_000, show_default=True)
@click.option("--first", default=0, show_default=True, help="Number of the first input; a number repeats its input.")
def main(count: int, first: int) -> None:
    """Read COUNT inputs; the exit code is 1 if any is read wrongly."""
    started, violations = perf_counter(), 0
    for number in range(first, first + count):
        problem = violation(hostile(random.Random(number)))
        if problem:
            violations += 1
            click.echo(f"{number}: {problem}")
    click.echo(f"{count} inputs of the wire in {perf_counter() - started:.0f} s, {violations} violations")
    sys.exit(1 if violations else 0)


if __name__ == "__main__":
    main()
