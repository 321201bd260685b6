"""A secret's value while it is held: a type of its own and no text, so that nothing prints, copies or stores it."""

from __future__ import annotations

import hmac
from typing import NoReturn


class SecretValue:
    """A secret while it is held. It has no text, and is neither copied nor stored.

    Only :meth:`reveal` gives the value, and where that is called is where it can get out. :meth:`wipe` overwrites what is
    held here; copies that Python made on the way (text is never overwritten) go when their memory is used again.
    """

    __slots__ = ("_held",)

    def __init__(self, value: str) -> None:
        """Hold *value*, which is not empty."""
        if not value:
            raise ValueError("an empty text is no secret value")
        self._held = bytearray(value.encode("utf-8", "surrogatepass"))

    def reveal(self) -> str:
        """The value itself.

        Raises
        ------
        ValueError
            It was wiped.
        """
        if not self._held:
            raise ValueError("this secret value was wiped")
        return self._held.decode("utf-8", "surrogatepass")

    def wipe(self) -> None:
        """Overwrite what is held; from now on there is nothing to reveal."""
        self._held[:] = bytes(len(self._held))
        self._held.clear()

    def __repr__(self) -> str:
        return "<SecretValue>"

    def __str__(self) -> NoReturn:  # noqa: PLE0307 - it refuses
        self._refuse()

    def __format__(self, spec: str) -> NoReturn:
        self._refuse()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        self._refuse()

    def __copy__(self) -> NoReturn:
        self._refuse()

    def __deepcopy__(self, memo: object) -> NoReturn:
        self._refuse()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretValue) and hmac.compare_digest(self._held, other._held)

    # A hash would say something about the value.
    __hash__ = None  # type: ignore[assignment]

    def _refuse(self) -> NoReturn:
        raise TypeError("a secret value is no text, and is neither copied nor stored: reveal() gives it, on purpose")
