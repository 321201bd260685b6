"""Keeps the client libraries of vaults from logging what they carry.

At level DEBUG botocore logs answers whole, secrets included, and ``http.client`` prints headers and bodies once somebody
has set its debug level. A gateway that logs its keys while somebody looks for a fault in the network is no gateway.
"""

from __future__ import annotations

import logging

_LIBRARIES = ("boto3", "botocore", "hvac", "jeepney", "keyring", "requests", "s3transfer", "urllib3")


def quiet_libraries() -> None:
    """Let these libraries log warnings and errors alone, whatever anybody set before. Called before each use."""
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if name.partition(".")[0] in _LIBRARIES and isinstance(logger, logging.Logger) and logger.level:
            logger.setLevel(max(logger.level, logging.WARNING))


def quiet_wire() -> None:
    """Have urllib3, which all of them use, never print what goes over the wire."""
    from urllib3.connection import HTTPConnection  # noqa: PLC0415 - only where a client library is used

    HTTPConnection.debuglevel = 0  # hides the one of http.client, and subclasses of both libraries see this one
