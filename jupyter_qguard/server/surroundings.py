"""The ways out that pass by a kernel's guard: script of an output in the browser, terminals, Lab's package installer.

Where the policy enforces egress, pages load from and post to this server only, terminals are closed, and Lab installs
nothing. A page can still be navigated elsewhere, which no browser lets a server forbid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_qguard.policy.loaded import Origin
from jupyter_qguard.policy.model import Mode

if TYPE_CHECKING:
    from jupyter_qguard.policy import LoadedPolicy

_HEADER = "Content-Security-Policy"
CONTENT_SECURITY = (
    "default-src 'self'; "
    # Outputs bring their script inline, and Lab compiles the checks of its settings.
    "script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' data: blob:; connect-src 'self' data: blob:; "
    "worker-src 'self' blob:; frame-src 'self' data: blob:; "
    "object-src 'self' blob:; "  # the viewer of PDF files
    "base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
"""No ``report-uri``: a report holds the address that was refused, which may carry a secret, and the server logs it."""


class Surroundings:
    """What of a server surrounds its kernels. Each method is called once, in the order in which they stand."""

    def __init__(self, server: Any) -> None:
        """Take *server*, a ServerApp that has loaded no extension yet."""
        self._server = server
        self._operators = ""
        """The policy of content that the operator configured."""

    def close(self, loaded: LoadedPolicy) -> None:
        """Before any extension is loaded: close what can only be closed now."""
        if self._installs_nothing(loaded):
            self._server.config.LabApp.extension_manager = "readonly"

    def settle(self, loaded: LoadedPolicy) -> None:
        """When this extension is loaded; that of the terminals comes later, by its name."""
        headers = self._server.web_app.settings.setdefault("headers", {})
        self._operators = headers.get(_HEADER, "")
        if not loaded.policy.egress.open_terminals:
            self._server.terminals_enabled = False
        self.use(loaded)

    def use(self, loaded: LoadedPolicy) -> None:
        """Another policy is in force: pages that are loaded from now on are under it. The rest needs a restart."""
        headers = self._server.web_app.settings["headers"]
        ours = CONTENT_SECURITY if _enforced(loaded) else ""
        both = ", ".join(each for each in (self._operators, ours) if each)  # a browser enforces each of them
        if both:
            headers[_HEADER] = both
        else:
            headers.pop(_HEADER, None)

    def check(self, loaded: LoadedPolicy) -> str:
        """When all extensions are loaded: what should be closed and is not; empty if nothing is."""
        if self._terminals() and not loaded.policy.egress.open_terminals:
            return "the policy closes terminals and the server offers them"
        return ""

    def status(self) -> dict[str, Any]:
        """What holds now."""
        confined = CONTENT_SECURITY in self._server.web_app.settings.get("headers", {}).get(_HEADER, "")
        return {
            "pages": "confined to this server" if confined else "not confined",
            "terminals": "unguarded" if self._terminals() else "closed",
            "kernels": self._tiers(),
        }

    def _tiers(self) -> dict[str, str]:
        """How each kernel that runs is confined, by its id."""
        # Looked at past its methods, which raise for a kernel that has just ended. One that is just starting has no
        # provisioner yet, one on another machine never has, and another's provisioner has no tier.
        kernels = dict(getattr(self._server.kernel_manager, "_kernels", {}))
        tiers = {name: getattr(getattr(each, "provisioner", None), "tier", None) for name, each in kernels.items()}
        return {name: "unguarded" if tier is None else tier.label for name, tier in tiers.items()}

    def _terminals(self) -> bool:
        return bool(self._server.web_app.settings.get("terminals_available", False))

    @staticmethod
    def _installs_nothing(loaded: LoadedPolicy) -> bool:
        """Lab would install into this very process, which no sandbox surrounds."""
        floor = any(source.origin is Origin.FLOOR for source in loaded.sources)
        return floor or loaded.strictest or _enforced(loaded)


def _enforced(loaded: LoadedPolicy) -> bool:
    return loaded.policy.egress.mode is Mode.ENFORCE
