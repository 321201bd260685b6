"""Secrets in error outputs: message, traceback, colour codes around and inside."""

from __future__ import annotations

from benchmarks.draft import Draft, Notebook
from benchmarks.marks import parts, unmark
from benchmarks.places.registry import place

_RULE = "\x1b[31m---------------------------------------------------------------------------\x1b[39m"


def _head(name: str) -> str:
    return f"\x1b[31m{name}\x1b[39m                                Traceback (most recent call last)"


def _cell(number: int) -> str:
    return f"\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[{number}]\x1b[39m\x1b[32m, line 1\x1b[39m\n"


_EVALUES = {
    "error_evalue_invalid": "401 Client Error: invalid $FIELD '$R' for url: $URL",
    "error_evalue_url": "HTTPSConnectionPool(host='$HOST', port=443): Max retries exceeded with url: /v1/jobs?$QUERY=$U",
    "error_evalue_dict": "request failed: {'url': '$URL', '$FIELD': '$J'}",
    "error_evalue_call": "Client.__init__() got an unexpected keyword argument: $NAME='$J'",
}


def _evalue(name: str, template: str) -> None:
    @place(name, needs=("url",) if "QUERY" in template else ())
    def build(draft: Draft) -> Notebook:
        value = draft.expand(template)
        # The traceback says it too, in colour: with another value, so that both are tried.
        other = value.replace(draft.expand("$U" if "$U" in template else "$R"), "...")
        error = draft.error(
            "RuntimeError", value, [_RULE, _head("RuntimeError"), f"\x1b[31mRuntimeError\x1b[39m: {other}"]
        )
        return draft.notebook(draft.code("job = client.submit(qc)", error))


for _name, _text in _EVALUES.items():
    _evalue(_name, _text)


@place("error_traceback_evalue", multiline=True)
def _last_line(draft: Draft) -> Notebook:
    line = draft.expand("\x1b[31mValueError\x1b[39m: cannot connect with {'$FIELD': '$J'}")
    return draft.notebook(
        draft.code("run()", draft.error("ValueError", "cannot connect", [_RULE, _head("ValueError"), line]))
    )


@place("error_traceback_source", multiline=True)
def _source_line(draft: Draft) -> Notebook:
    """The line of source that IPython quotes, coloured token by token: colours end right before and after the value."""
    literal = f"\x1b[33m{draft.literal}\x1b[39m"
    call = draft.call(literal).replace("(", "\x1b[43m(\x1b[49m")
    frame = _cell(7) + f"\x1b[32m----> \x1b[39m\x1b[32m1\x1b[39m {call}\n"
    error = draft.error("AuthError", "401", [_RULE, _head("AuthError"), frame, "\x1b[31mAuthError\x1b[39m: 401"])
    return draft.notebook(draft.code("connect()", error))


@place("error_traceback_ansi_tight")
def _tight(draft: Draft) -> Notebook:
    """Bold or coloured value directly after the equals sign."""
    line = draft.expand("\x1b[31mAuthError\x1b[39m: rejected $NAME=\x1b[1m$R\x1b[0m for maria")
    error = draft.error("AuthError", "rejected", [_RULE, _head("AuthError"), line])
    return draft.notebook(draft.code("connect()", error))


@place("error_traceback_ansi_inside", whole=True)
def _inside(draft: Draft) -> Notebook:
    """A highlighter that takes the value for several tokens puts colours inside it."""
    length = len(unmark(draft.secret))
    first, second, third = parts(draft.secret, (length // 3, 2 * length // 3))
    value = f"{first}\x1b[38;5;241m{second}\x1b[39;00m{third}"
    line = draft.expand(f"\x1b[31mAuthError\x1b[39m: invalid $FIELD '{value}'")
    error = draft.error("AuthError", "invalid", [_RULE, _head("AuthError"), line])
    return draft.notebook(draft.code("connect()", error))


@place("error_traceback_wrapped", whole=True)
def _wrapped(draft: Draft) -> Notebook:
    """Terminals of fixed width break the line inside the value."""
    first, second = parts(draft.secret, (len(unmark(draft.secret)) // 2,))
    frame = _cell(3) + draft.expand(f"----> 1 client = connect($NAME='{first}\n{second}', retries=3)\n")
    error = draft.error("AuthError", "401", [_RULE, _head("AuthError"), frame])
    return draft.notebook(draft.code("connect()", error))


@place("error_traceback_locals", multiline=True)
def _locals(draft: Draft) -> Notebook:
    frame = draft.expand(
        "File \x1b[32m/opt/client.py:88\x1b[39m, in \x1b[36mlogin\x1b[39m(self, $NAME)\n"
        "        $NAME = \x1b[34m'$J'\x1b[39m\n        self = <client.Client object at 0x7f31c4d2b0d0>\n"
    )
    error = draft.error("AuthError", "401", [_RULE, _head("AuthError"), frame, "AuthError: 401"])
    return draft.notebook(draft.code("%xmode Verbose\nconnect()", error))


@place("error_plain_frames", multiline=True)
def _plain(draft: Draft) -> Notebook:
    frames = [
        "Traceback (most recent call last):\n",
        '  File "/home/maria/run.py", line 12, in <module>\n',
        draft.expand("    $CALL\n"),
        "ConnectionError: timed out\n",
    ]
    return draft.notebook(draft.code("%run run.py", draft.error("ConnectionError", "timed out", frames)))


@place("stderr_traceback", multiline=True)
def _stderr(draft: Draft) -> Notebook:
    text = draft.expand(
        'Traceback (most recent call last):\n  File "/home/maria/run.py", line 12, in <module>\n    $CALL\n'
        "ConnectionError: timed out\n"
    )
    return draft.notebook(draft.code("!python run.py", draft.stream(text, "stderr")))


@place("stdout_ansi_around")
def _coloured(draft: Draft) -> Notebook:
    text = draft.expand("\x1b[1m$FIELD\x1b[0m: \x1b[32m$R\x1b[0m\n\x1b[1mshots\x1b[0m: 1000\n")
    return draft.notebook(draft.code("rich.print(config)", draft.stream(text)))
