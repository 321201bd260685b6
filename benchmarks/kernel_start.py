"""What the sandbox adds to the start of a kernel: ``python -m benchmarks.kernel_start [--pairs N]``.

Pairs of starts, guarded and stock, one after the other in turns, from `start_kernel` to the first answer of the kernel;
the gateway runs already, as in a server. Times of the wall: say what else the machine did.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time

import click
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.factory import KernelProvisionerFactory

GUARDED, STOCK = "qguard-provisioner", "local-provisioner"
PATIENCE = 60


async def start(provisioner: str, folder: str) -> float:
    """Milliseconds until a kernel of *provisioner* answers."""
    KernelProvisionerFactory.instance().default_provisioner_name = provisioner
    manager = AsyncKernelManager()
    began = time.perf_counter()
    await manager.start_kernel(cwd=folder)
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=PATIENCE)
    took = (time.perf_counter() - began) * 1000
    client.stop_channels()
    await manager.shutdown_kernel(now=True)
    return took


async def measure(pairs: int) -> None:
    """Print medians and the median of the pairs' ratios."""
    with tempfile.TemporaryDirectory() as folder:
        for provisioner in (GUARDED, STOCK):
            await start(provisioner, folder)
        guarded: list[float] = []
        stock: list[float] = []
        for number in range(pairs):
            order = [(GUARDED, guarded), (STOCK, stock)]
            for provisioner, times in order if number % 2 else reversed(order):
                times.append(await start(provisioner, folder))
    ratios = [one / other for one, other in zip(guarded, stock, strict=True)]
    print(f"load {os.getloadavg()[0]:.1f}, {pairs} pairs, medians")
    print(f"stock    {statistics.median(stock):7.0f} ms")
    print(f"guarded  {statistics.median(guarded):7.0f} ms")
    print(f"guarded / stock {statistics.median(ratios):.3f}")


@click.command()
@click.option("--pairs", default=15, show_default=True)
def main(pairs: int) -> None:
    """Measure."""
    asyncio.run(measure(pairs))


if __name__ == "__main__":
    main()
