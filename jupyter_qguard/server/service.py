"""What the REST interface can do: asks the guard, and puts answers into plain values. Blocks; for threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from jupyter_qguard.errors import InputError
from jupyter_qguard.policy import Action
from jupyter_qguard.policy.loaded import Origin
from jupyter_qguard.server.decisions import OVERRIDE_FOR, Decision, Outcome
from jupyter_qguard.server.proof import check_proof
from jupyter_qguard.server.refusals_seen import RefusalsSeen
from jupyter_qguard.server.shown import shown

if TYPE_CHECKING:
    from jupyter_qguard.server.bodies import OverrideBody
    from jupyter_qguard.server.gate import Gate
    from jupyter_qguard.server.guard import SaveGuard
    from jupyter_qguard.server.submission import Submission
    from jupyter_qguard.server.surroundings import Surroundings

P = ParamSpec("P")
R = TypeVar("R")
_LABELS_SHOWN = 200


class GuardService:
    """Behind the handlers."""

    def __init__(self, gate: Gate, user: str, surroundings: Surroundings, *, hidden: bool) -> None:
        """*hidden*: whether other processes cannot inspect this one."""
        self.gate = gate
        self.surroundings = surroundings
        self.guarded: Callable[[], str] = _not_guarded
        """Says how the contents manager is guarded now."""
        self.refusals = RefusalsSeen()
        self._user = user
        self._hidden = hidden

    @property
    def guard(self) -> SaveGuard:
        """The guard."""
        return self.gate.guard

    async def run(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a method of this class from the event loop."""
        return await self.gate.run(call, *args, **kwargs)

    def status(self) -> dict[str, Any]:
        """Is the guard there, what does it enforce, what troubles it."""
        pool = self.guard.pool.state()
        loaded = self.guard.policy.current()
        return {
            "contents": self.guarded(),
            "mode": loaded.policy.scan.mode.value,
            "strictest": loaded.strictest,
            "notices": list(loaded.notices),
            "workers": {"size": pool.size, "ready": pool.ready, "pids": list(pool.pids), "trouble": pool.trouble},
            "audit": self.guard.trail.trouble or "ok",
            "user": self._user,
            "hidden_from_other_processes": self._hidden,
            **self.surroundings.status(),
        }

    def egress(self) -> dict[str, Any]:
        """How connections of kernels are judged, and what was refused to each that runs."""
        egress = self.guard.policy.current().policy.egress
        tiers: dict[str, str] = self.surroundings.status()["kernels"]
        return {
            "mode": egress.mode.value,
            "minimum_tier": egress.minimum_tier.label,
            "allowed": [str(rule.host) for rule in egress.allow[:_LABELS_SHOWN]],
            "kernels": {kernel: {"tier": tier, "refused": self.refusals.of(kernel)} for kernel, tier in tiers.items()},
        }

    def policy(self) -> dict[str, Any]:
        """What of the policy concerns whoever saves."""
        loaded = self.guard.policy.current()
        scan = loaded.policy.scan
        return {
            "mode": scan.mode.value,
            "scan": {
                "source": scan.source.label,
                "output": scan.output.label,
                "metadata": scan.metadata.label,
                "text_files": scan.text_files.label,
            },
            "classify": {name: level.label for name, level in loaded.policy.classify.items()},
            "sources": [
                {"origin": source.origin.value, "name": source.name, "digest": source.digest}
                for source in loaded.sources
            ],
            "notices": list(loaded.notices),
        }

    def override_terms(self, decision: Decision) -> dict[str, Any] | None:
        """How a decision can be overridden; None if it cannot."""
        if decision.outcome is not Outcome.REFUSED:
            return None
        return {"seconds": int(OVERRIDE_FOR), "proof": self._proof_is_needed()}

    def override(self, body: OverrideBody, identity_provider: Any) -> float:
        """Grant an override, once its record is durable. Returns for how many seconds it holds.

        Raises
        ------
        ProofError, AuditUnavailableError
            It is refused.
        InputError
            There is nothing to override.
        """
        reason = body.reason.strip()
        decision = self.guard.decisions.get(body.id)
        if decision is None or decision.outcome is not Outcome.REFUSED:
            message = "there is no refused save of that id, or it is too long ago: save again"
            raise InputError(message)
        if not reason:
            message = "an override needs a reason"
            raise InputError(message)
        proof = check_proof(identity_provider, body.proof) if self._proof_is_needed() else ""
        self.guard.trail.override_granted(decision, reason, OVERRIDE_FOR, proof)
        return self.guard.overrides.grant(decision)

    def scan(self, submission: Submission) -> dict[str, Any]:
        """What would be found, and done, if *submission* were saved. Raises InputError."""
        result = self.guard.scan(submission)
        verdict = self.guard.verdict(submission, result)
        actions = {id(finding): action for action in Action for finding in verdict.by_action[action]}
        return {
            "action": verdict.action.label,
            "reason": verdict.reason,
            "classification": result.classification.label,
            "findings": [{**shown(f), "action": actions[id(f)].label} for f in result.findings],
            "suppressed": len(result.suppressed),
            "labels": [shown(finding) for finding in result.labels[:_LABELS_SHOWN]],
        }

    def _proof_is_needed(self) -> bool:
        loaded = self.guard.policy.current()
        return loaded.strictest or any(source.origin is Origin.FLOOR for source in loaded.sources)


def _not_guarded() -> str:
    return "NOT GUARDED"
