"""Whether an attack got through, by what was seen outside."""

from __future__ import annotations

import enum
import re
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.attack.attacks.base import Judge
from tests.attack.attacks.processes import SIGNALS
from tests.attack.servers import METADATA

if TYPE_CHECKING:
    from tests.attack.attacks.base import Attack, Target
    from tests.attack.house import House
    from tests.attack.network import Sniffer
    from tests.attack.servers import Names, Web

_REFUSED = frozenset({1, 13, 30, 38, 93, 94, 97})
"""EPERM, EACCES, EROFS, ENOSYS, and no such protocol, socket type or family: nothing was looked at."""
_ELSEWHERE = "NotHere:"


class Outcome(enum.Enum):
    """What became of an attack."""

    HELD = "held"
    THROUGH = "through"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Bench:
    """What the judge looks at."""

    house: House
    sniffer: Sniffer
    names: Names
    web: Web
    peer_failed: set[str]

    def judge(self, one: Attack, target: Target, said: str) -> Outcome:
        """The outcome of *one*."""
        if said.startswith(_ELSEWHERE) or "no proxy is set" in said:
            return Outcome.NOT_APPLICABLE
        return Outcome.THROUGH if self._through(one, target, said) else Outcome.HELD

    def _through(self, one: Attack, target: Target, said: str) -> bool:  # noqa: PLR0911 - one a judge
        seen = target.nonce in self.sniffer.nonces
        if one.judge is Judge.PACKET:
            return seen or bool(target.addresses & self.sniffer.addresses) or target.port in self.sniffer.ports
        if one.judge is Judge.PAYLOAD:
            return seen
        if one.judge is Judge.METADATA:
            return seen or bool(METADATA & self.sniffer.addresses)
        if one.judge is Judge.QUESTION:
            return (
                seen
                or any(target.nonce in name for name in self.names.asked)
                or target.nonce in " ".join(self.house.accepted)
            )
        if one.judge is Judge.SMUGGLED:
            return any(target.nonce in path for path in self.web.paths)
        if one.judge is Judge.ACCEPTED:
            return target.nonce in self.house.accepted
        if one.judge is Judge.WRITTEN:
            return _holds(Path(target.path), target.nonce)
        if one.judge is Judge.SECRET:
            return self.house.secrets[one.secret] in said
        return self._other(one, said)

    def _other(self, one: Attack, said: str) -> bool:
        if one.judge is Judge.PEER:
            return one.name in self.peer_failed
        if one.judge is Judge.HARMED:
            way = one.name.rpartition(".")[2]
            sign = next(
                (number for word, number in SIGNALS.items() if word in way or (word == "tgkill" and "thread" in way)), 0
            )
            return (
                sign in self.house.heard
                if sign
                else resource.prlimit(self.house.decoy.pid, resource.RLIMIT_CORE) == (0, 0)
            )
        number = re.match(r"errno (-?\d+)", said)
        return bool(number) and int(number[1]) not in _REFUSED


def _holds(path: Path, nonce: str) -> bool:
    try:
        return nonce in path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
