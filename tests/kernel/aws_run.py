"""Runs cells in one guarded kernel and prints what each said, as JSON lines: ``aws_run.py FOLDER``, cells on standard input."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager

PATIENCE = 120


async def main(folder: Path) -> None:
    manager = AsyncKernelManager()
    await manager.start_kernel(cwd=str(folder / "workspace"))
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=PATIENCE)
    for name, code in json.loads(sys.stdin.read()).items():
        said = []

        def hear(message, said=said):
            content = message["content"]
            said.append(content.get("text", "") or "\n".join(content.get("traceback", ())))

        await client.execute_interactive(code, output_hook=hear, timeout=PATIENCE, allow_stdin=False)
        print(json.dumps({"step": name, "tier": manager.provisioner.tier.label, "out": "".join(said)}), flush=True)
    await manager.shutdown_kernel()


os.environ["JUPYTER_DEFAULT_PROVISIONER_NAME"] = "qguard-provisioner"
asyncio.run(main(Path(sys.argv[1])))
