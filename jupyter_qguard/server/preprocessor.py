"""The redactor as a preprocessor of ``jupyter nbconvert``, which loads the rules in its own process."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from nbconvert.preprocessors import Preprocessor
from traitlets import Bool

from jupyter_qguard.policy import load_policy_or_strictest
from jupyter_qguard.server.export import ExportRedactor
from jupyter_qguard.server.local_scan import LocalScan


class QGuardPreprocessor(Preprocessor):
    """The redactor for ``jupyter nbconvert``: loads the rules in its own process when it is first needed."""

    enabled = Bool(True, help="Always on; configuration cannot turn it off.")
    """Without the ``config`` tag that the base class has."""

    _redactor: ExportRedactor | None = None

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """The notebook and resources without what must not leave."""
        if self._redactor is None:
            policy = load_policy_or_strictest(environ=os.environ, home=Path.home()).policy
            key = secrets.token_bytes(32)
            self._redactor = ExportRedactor(LocalScan(policy, key, announce=self.log.warning), lambda: policy)
        return self._redactor(nb, resources)
