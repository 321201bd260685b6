"""Starts one guarded kernel, has it try everything, and keeps every message of every channel: ``run.py FOLDER [without]``.

A process of its own, as a Jupyter server would be. It knows no value.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager

from jupyter_qguard.sandbox import owner
from tests.leaks.probes import PREAMBLE, Probe, all_probes

PATIENCE = 60
_PAGE = 4096
_EMPTY = bytes(_PAGE)
CHANNELS = ("shell", "iopub", "stdin", "control")
# What the sandbox mounts there from outside (the workspace, this repository) is looked at where it lies.
_COPY = """
import shutil
for place in ('/tmp', '/dev/shm'):
    for folder, folders, names in os.walk(place):
        folders[:] = [each for each in folders if os.lstat(f'{folder}/{each}').st_dev == os.stat(place).st_dev]
        for name in names:
            if os.path.isfile(f'{folder}/{name}'): shutil.copy(f'{folder}/{name}', f'copy-{name}')
"""


class Session:
    """Of a client that listens to all channels at once."""

    def __init__(self, client, file) -> None:
        self._client, self._file, self._by_id = client, file, {}
        self._done: dict[tuple[str, str], asyncio.Event] = {}
        self._tasks = [asyncio.ensure_future(self._listen(name)) for name in CHANNELS]

    async def ask(self, probe: Probe) -> None:
        content = probe.content
        if probe.kind == "execute_request":
            content = {
                "code": probe.code, "silent": False, "store_history": True, "user_expressions": {},
                "allow_stdin": True, "stop_on_error": False, **content,
            }  # fmt: skip
        message = self._client.session.msg(probe.kind, content)
        number = message["header"]["msg_id"]
        self._by_id[number] = probe.name
        waits = [self._done.setdefault((number, each), asyncio.Event()) for each in ("idle", "reply")]
        getattr(self._client, f"{probe.channel}_channel").send(message)
        for wait in waits:
            await asyncio.wait_for(wait.wait(), PATIENCE)

    async def _listen(self, name: str) -> None:
        channel = getattr(self._client, f"{name}_channel")
        while True:
            message = await channel.get_msg()
            parent = message["parent_header"].get("msg_id", "")
            buffers = [bytes(each).hex() + "|" + bytes(each).decode("latin-1") for each in message.get("buffers", [])]
            kept = {"probe": self._by_id.get(parent, ""), "channel": name, "message": message, "buffers": buffers}
            self._file.write(json.dumps(kept, default=repr, ensure_ascii=False) + "\n")
            if name == "stdin":
                self._client.input("x")
            state = message["content"].get("execution_state")
            if state == "idle" or message["msg_type"].endswith("_reply"):
                self._done.setdefault((parent, state or "reply"), asyncio.Event()).set()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def processes_below(pid: int) -> list[int]:
    children = {}
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                parent = int((each / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(each.name))
    found, left = [], [pid]
    while left:
        found.append(left.pop())
        left += children.get(found[-1], [])
    return found


def dump(pid: int, file) -> int:
    """Write all pages that a process can write to and that hold something; the bytes of them."""
    size = 0
    at = Path(f"/proc/{pid}")
    with (at / "maps").open(encoding="ascii", errors="replace") as maps, (at / "mem").open("rb", 0) as memory:
        for line in maps:
            span, mode = line.split()[:2]
            first, last = (int(number, 16) for number in span.split("-"))
            if mode.startswith("rw"):
                try:
                    held = os.pread(memory.fileno(), last - first, first)
                except (OSError, OverflowError):
                    continue  # a stack's guard page
                pages = (held[each : each + _PAGE] for each in range(0, len(held), _PAGE))
                size += file.write(b"".join(page for page in pages if page != _EMPTY))
    return size


async def main(folder: Path) -> None:
    manager = AsyncKernelManager()
    await manager.start_kernel(cwd=str(folder / "workspace"))
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=PATIENCE)
    with (folder / "messages.jsonl").open("w", encoding="utf-8") as file:
        session = Session(client, file)
        for name, code in (("use", "%qguard use ionq/dev\n%qguard use ibm/dev"), ("preamble", PREAMBLE)):
            await session.ask(Probe(name, code))
        for probe in all_probes():
            await session.ask(probe)
        await session.ask(Probe("copy", _COPY))
        await session.close()
    dumped, problem = 0, ""
    with (folder / "memory.bin").open("wb") as file:
        for pid in processes_below(manager.provisioner.pid):
            try:
                dumped += dump(pid, file)
            except OSError as error:
                problem = str(error)
    told = {"tier": manager.provisioner.tier.label, "dumped": dumped, "problem": problem}
    (folder / "told.json").write_text(json.dumps(told))
    await manager.shutdown_kernel()


if __name__ == "__main__":
    os.environ["JUPYTER_DEFAULT_PROVISIONER_NAME"] = "qguard-provisioner"
    if "without" in sys.argv[2:]:
        command = [sys.executable, str(Path(__file__).with_name("gateway_without.py"))]
        real = owner.Owner.__init__
        owner.Owner.__init__ = lambda self, welcome: real(self, welcome, command)
    asyncio.run(main(Path(sys.argv[1])))
