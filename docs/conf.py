"""Sphinx configuration. Warnings are errors in ``make docs``."""

from __future__ import annotations

from jupyter_qguard._version import __version__

project = "jupyter-qguard"
author = "The jupyter-qguard developers"
release = version = __version__
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "jupyter-qguard"
