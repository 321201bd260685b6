"""What is wrong with bytes that came out of a kernel. No message repeats them."""

from __future__ import annotations

from jupyter_qguard.errors import InputError


class WireError(InputError):
    """Bytes that are no request, no greeting and no question as they must be: the connection is closed."""

    code = "wire"
