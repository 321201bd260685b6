"""The demonstration that ``make demo`` runs: a real Jupyter server, real notebooks, and checks of what must hold.

It uses Jupyter's own interfaces and the ``qguard`` command, and nothing of the package behind them.
"""
