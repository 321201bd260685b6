"""``python -m jupyter_qguard.cli``."""

from jupyter_qguard.cli import main

main()
