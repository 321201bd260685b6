"""``python -m jupyter_qguard.server``: a Jupyter server with the guard; ``--help-all`` shows the guard's settings too.

A server started in any other way has the guard as well, but shows the settings of its own classes only.
"""

from jupyter_qguard.server.app import QGuardApp

QGuardApp.launch_instance()  # type: ignore[no-untyped-call]
