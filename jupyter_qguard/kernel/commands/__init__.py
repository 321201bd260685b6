"""What ``%qguard`` can do, one module each; see :mod:`jupyter_qguard.kernel.magic`."""
