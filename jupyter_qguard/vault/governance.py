"""Who answers for a secret, what for, where and until when. Pure: without all four no secret is handed out."""

from __future__ import annotations

import datetime as dt
import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_qguard.policy.model import Environment
from jupyter_qguard.vault.errors import GovernanceError

if TYPE_CHECKING:
    from collections.abc import Mapping

LABELS = ("owner", "purpose", "environment", "expires")
"""The names under which every source keeps governance: custom metadata, tags, lines of a registry."""
LONGEST = 256
"""Characters of a label: what the narrowest source (a tag of AWS) takes."""
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")


class State(enum.Enum):
    """How a secret stands on a day, the worst first."""

    MISSING = "missing"
    """It, a field of it, or a label is not there; it is not handed out."""
    OVERDUE = "overdue"
    """Its last day is over; it is not handed out."""
    MISMATCHED = "mismatched"
    """An access entry for another environment names it, and gets nothing."""
    UNREACHABLE = "unreachable"
    """The vault does not say."""
    EXPIRING = "expiring"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Governance:
    """What must be known of a secret before it is used."""

    owner: str
    purpose: str
    environment: Environment
    expires: dt.date
    """Last day on which it is handed out."""

    @classmethod
    def from_labels(cls, labels: Mapping[str, str]) -> Governance:
        """What *labels* say.

        Raises
        ------
        GovernanceError
            A label is missing or says what cannot be: all that is wrong in one sentence.
        """
        problems = [f"`{name}` is missing" for name in LABELS if not labels.get(name, "").strip()]
        problems += [f"`{name}` cannot be shown" for name in LABELS if not labels.get(name, "").isprintable()]
        environment, expires = _environment(labels.get("environment", "")), _day(labels.get("expires", ""))
        if environment is None and labels.get("environment"):
            problems.append("`environment` is none of dev, test, prod")
        if expires is None and labels.get("expires"):
            problems.append("`expires` is no day such as 2027-01-31")
        if problems or environment is None or expires is None:
            raise GovernanceError("; ".join(problems))
        return cls(labels["owner"].strip(), labels["purpose"].strip(), environment, expires)

    def labels(self) -> dict[str, str]:
        """The four, as a source keeps them."""
        return {
            "owner": self.owner,
            "purpose": self.purpose,
            "environment": self.environment.value,
            "expires": self.expires.isoformat(),
        }

    def state(self, today: dt.date, within: dt.timedelta) -> State:
        """How it stands on *today*, where whatever ends *within* so long is expiring."""
        if today > self.expires:
            return State.OVERDUE
        return State.EXPIRING if self.expires - today < within else State.OK

    def check(self, today: dt.date, environment: Environment) -> None:
        """Return if the secret may be handed out on *today* to work in *environment*.

        Raises
        ------
        GovernanceError
            It may not, and who could change that.
        """
        if today > self.expires:
            days = (today - self.expires).days
            ago = "yesterday" if days == 1 else f"{days} days ago"
            raise GovernanceError(f"it expired {ago} ({self.expires}); ask its owner, {self.owner}, to renew it")
        if environment is not self.environment:
            raise GovernanceError(
                f"it is for {self.environment.value}, and {environment.value} was asked for; its owner is {self.owner}"
            )


def _environment(text: str) -> Environment | None:
    try:
        return Environment(text.strip())
    except ValueError:
        return None


def _day(text: str) -> dt.date | None:
    """The day that *text* names, or begins with: some vaults only have times."""
    found = _DAY.fullmatch(text.strip())
    try:
        return dt.date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
