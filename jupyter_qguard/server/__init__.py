"""The guard inside the Jupyter server: every write path, downloads, exports, and the REST interface.

The edge of the house: the only package of the guard that knows tornado and traitlets. What may be saved is decided
below, in :mod:`jupyter_qguard.policy`; here a decision is carried out, or the write refused.
"""
