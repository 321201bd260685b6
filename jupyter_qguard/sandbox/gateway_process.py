"""Starts a gateway and waits until it is ready."""

from __future__ import annotations

import logging
import os
import socket
import struct
import subprocess
from typing import TYPE_CHECKING

import msgspec

from jupyter_qguard.errors import InputError
from jupyter_qguard.gateway.control import Ready, ToOwner, make_pair, receive_message, send_message
from jupyter_qguard.sandbox.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_qguard.gateway.control import Welcome

START_PATIENCE = 30.0
"""Seconds until it must have said that it has the policy and the audit log."""
SEND_PATIENCE = 5
"""Seconds that a message may wait for a gateway that does not read."""

_log = logging.getLogger(__name__)


def start_gateway(command: Sequence[str], welcome: Welcome) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Run *command* with an end of a new pair; the other end, and the process.

    Raises
    ------
    GatewayError
        It did not get ready; it is gone.
    """
    end, other = make_pair()
    with other:
        # Not from the folder that this process works in: modules would be imported from a kernel's workspace.
        process = subprocess.Popen(  # noqa: S603
            [*command, "--control", str(other.fileno())],
            pass_fds=(other.fileno(),),
            stdin=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
    try:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_PATIENCE, 0))
        send_message(end, welcome)
        end.settimeout(START_PATIENCE)
        message, descriptors = receive_message(end, msgspec.json.Decoder(ToOwner))
        end.settimeout(None)
        for number in descriptors:
            os.close(number)
        if not isinstance(message, Ready):
            raise InputError("another message came first")  # noqa: TRY301 - all ends in one place
    except (OSError, EOFError, InputError) as error:
        end.close()
        process.kill()
        code = process.wait()
        raise GatewayError(f"the gateway did not start (it ended with {code}): see the log") from error
    for notice in message.notices:
        _log.info("jupyter_qguard: %s", notice)
    return end, process
