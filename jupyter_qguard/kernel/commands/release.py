"""``%qguard release REF``: ends what was lent, before its time."""

from __future__ import annotations

from jupyter_qguard.errors import UsageError
from jupyter_qguard.kernel.channel import the_channel
from jupyter_qguard.kernel.commands.use import give_back

USAGE = "%qguard release REF   end what was lent: its handle opens nothing from then on"


def run(words: str) -> None:
    """Print whether there was something to end."""
    if not words or " " in words:
        raise UsageError("write one access entry, as in `%qguard release ibm/prod`")
    ended = ask(words)
    print(f"{words} is released" if ended else f"{words} was not lent to this kernel")  # noqa: T201 - what is asked for


def ask(name: str) -> bool:
    """End the lease of *name*; whether there was one. Raises NotDoneError, NoChannelError, NoAnswerError."""
    answer = the_channel().ask("release", name=name)
    give_back(name)
    return bool(answer["ended"])
