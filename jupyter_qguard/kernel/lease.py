"""``use`` and ``connect`` for programs: what ``%qguard use`` does, as a context and as the vendor's client."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jupyter_qguard.errors import UsageError
from jupyter_qguard.kernel.commands import release
from jupyter_qguard.kernel.commands import use as using

if TYPE_CHECKING:
    from types import TracebackType


class KernelLease:
    """What is lent to this kernel. As a context it is released at the end."""

    def __init__(self, granted: dict[str, Any]) -> None:
        self._granted = granted

    @property
    def name(self) -> str:
        """Of the access entry."""
        return str(self._granted["name"])

    @property
    def until(self) -> str:
        """When it ends, as ISO 8601 in UTC."""
        return str(self._granted["until"])

    @property
    def custody(self) -> str:
        """How the key is held: ``brokered``, ``short_lived``, ``sealed``."""
        return str(self._granted["custody"])

    def release(self) -> None:
        """End it. A second call does nothing."""
        release.ask(self.name)

    def __enter__(self) -> KernelLease:  # noqa: PYI034 - typing.Self is not in Python 3.10
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<{self.name}, {self.custody}, until {self.until}>"


def use(name: str) -> KernelLease:
    """Have *name* lent and the vendor's variables set."""
    return KernelLease(using.ask(name))


def connect(name: str, **options: Any) -> Any:
    """The vendor's own client, on what is lent as *name*; *options* go to its constructor.

    Raises
    ------
    UsageError
        The catalogue names no client for this vendor, or it is not installed here.
    """
    granted = using.ask(name)
    module, _, attribute = granted["client"].partition(":")
    if not attribute:
        text = f"no client of {granted['vendor']} is known: make it yourself, the variables are set"
        raise UsageError(text)
    try:
        made = getattr(import_module(module), attribute)
    except ImportError:
        text = f"`{module}` is not installed in this kernel's environment: %pip install {granted['package']}"
        raise UsageError(text) from None
    return made(**options)
