"""Has every kernel of a Jupyter server started by the guard, whatever its kernelspec says.

Where nobody wrote a policy kernels start as they would without this package: in the sandbox they would lose the keys that
they have had until now, and nobody asked for that.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Protocol

from jupyter_client.provisioning.factory import KernelProvisionerFactory

from jupyter_qguard.policy.model import ExceptionKind
from jupyter_qguard.sandbox.errors import KernelRefusedError
from jupyter_qguard.sandbox.provisioner import QGuardProvisioner

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase

    from jupyter_qguard.policy import LoadedPolicy

NAME = "qguard-provisioner"
"""The entry point."""
_ORDINARY = {"", NAME}
"""What the guard stands in for without asking."""


class StartRecords(Protocol):
    """Records of starts that the gateway has no part in."""

    def unguarded(self, kernel: str, kernelspec: str, *, required: bool) -> None:
        """A kernel is about to run as without this package. Raises AuditUnavailableError if *required* and not done."""

    def refused(self, kernel: str, reason: str) -> None:
        """A kernel does not start."""


class GuardedFactory(KernelProvisionerFactory):
    """Makes no other provisioner, unless the policy has an exception for the kernelspec."""

    loaded: Callable[[], LoadedPolicy]
    records: StartRecords

    def create_provisioner_instance(self, kernel_id: str, kernel_spec: Any, parent: Any) -> KernelProvisionerBase:
        """As :class:`~jupyter_client.provisioning.factory.KernelProvisionerFactory` has it."""
        loaded, name = self.loaded(), str(getattr(parent, "kernel_name", ""))
        if not loaded.chosen:
            self.records.unguarded(kernel_id, name, required=False)
            return super().create_provisioner_instance(kernel_id, kernel_spec, parent)
        wanted = str(kernel_spec.metadata.get("kernel_provisioner", {}).get("provisioner_name", ""))
        if wanted in _ORDINARY:
            return QGuardProvisioner(kernel_id=kernel_id, kernel_spec=kernel_spec, parent=parent)
        today = dt.datetime.now(dt.timezone.utc).date()
        if any(
            each.kind is ExceptionKind.KERNELSPEC and each.target == name and each.holds(today)
            for each in loaded.policy.exceptions
        ):
            self.records.unguarded(kernel_id, name, required=True)
            self.log.warning("jupyter_qguard: kernelspec %s runs unguarded, by an exception of the policy", name)
            return super().create_provisioner_instance(kernel_id, kernel_spec, parent)
        reason = (
            f"The kernelspec `{name}` demands the provisioner `{wanted}`, which would run it unguarded. Remove "
            f"`kernel_provisioner` from its kernel.json, or ask for an exception `kernelspec:{name}` in the policy."
        )
        self.records.refused(kernel_id, reason)
        raise KernelRefusedError(reason)


def force_provisioner(loaded: Callable[[], LoadedPolicy], records: StartRecords, parent: Any) -> None:
    """Put the guarded factory in the place of jupyter_client's, for this process."""
    KernelProvisionerFactory.clear_instance()
    factory = GuardedFactory.instance(parent=parent)
    factory.loaded, factory.records = loaded, records
