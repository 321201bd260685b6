"""The guard's part inside of a kernel: ``%qguard``, and what it says of refusals. Convenience, and no boundary.

What holds a kernel is outside of it. Code in here runs beside the user's and holds nothing that opens anything. It may be
imported by the interpreter of an environment without this package: only the standard library, ``errors`` and ``secret``
are there, and IPython where that loads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_qguard.kernel.lease import KernelLease

__all__ = ["connect", "explain", "load_ipython_extension", "status", "use"]


def load_ipython_extension(shell: Any) -> None:
    """Called by IPython: guarded kernels load this extension, and ``%load_ext jupyter_qguard.kernel`` does."""
    from jupyter_qguard.kernel.extension import load  # noqa: PLC0415 - costs a kernel's start

    load(shell)


def status() -> dict[str, Any]:
    """What holds for this kernel, as ``%qguard status`` prints it: tier, mode, allowed hosts, what is not stopped.

    Raises
    ------
    NoChannelError, NoAnswerError
        This kernel is not guarded, or the gateway does not answer.
    """
    from jupyter_qguard.kernel.commands.status import ask  # noqa: PLC0415 - as above

    return ask()


def explain(target: str) -> dict[str, Any]:
    """What the policy decides about a connection to *target*, and which line of it: a URL, a host, ``host:port``.

    Raises
    ------
    NotDoneError
        *target* names no host.
    NoChannelError, NoAnswerError
        As :func:`status`.
    """
    from jupyter_qguard.kernel.commands.explain import ask  # noqa: PLC0415 - as above

    return ask(target)


def use(name: str) -> KernelLease:
    """Have the access entry *name* lent to this kernel, and the vendor's variables set: ``with use("ibm/dev"): …``.

    Raises
    ------
    NotDoneError
        It is not lent, and why.
    NoChannelError, NoAnswerError
        As :func:`status`.
    """
    from jupyter_qguard.kernel.lease import use as lend  # noqa: PLC0415 - as above

    return lend(name)


def connect(name: str, **options: Any) -> Any:
    """The vendor's own client, on what is lent as *name*; *options* go to its constructor. Raises as :func:`use`."""
    from jupyter_qguard.kernel.lease import connect as made  # noqa: PLC0415 - as above

    return made(name, **options)
