"""A kernel that refuses every transport but TCP, as those of many languages do."""

from __future__ import annotations

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp


class TcpOnly(IPKernelApp):
    """Ends where it is asked for sockets with a path."""

    def init_sockets(self):
        if self.transport != "tcp":
            raise SystemExit(f"no transport {self.transport}")
        super().init_sockets()

    def init_kernel(self):
        super().init_kernel()
        self.kernel.shell.push({"kernel_says_transport": lambda: self.transport})


TcpOnly.launch_instance(kernel_class=IPythonKernel)
