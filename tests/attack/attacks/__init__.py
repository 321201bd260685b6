"""What runs inside the kernel: the standard library only, since a kernel may be of an environment without our package.

The judge imports the same modules for the list of attacks; nothing is tried at import.
"""

from .base import ATTACKS, Attack, Judge, Target, World

__all__ = ["ATTACKS", "MODULES", "Attack", "Judge", "Target", "World"]

MODULES = (
    "sockets",
    "families",
    "local",
    "syscalls",
    "rings",
    "privileges",
    "processes",
    "descriptors",
    "connect",
    "plain",
    "greetings",
    "names",
    "rebinding",
    "metadata",
    "jupyter",
    "later",
    "persistence",
    "credentials",
    "limits",
    "residual",
)
