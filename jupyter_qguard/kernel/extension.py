"""What is put into an IPython kernel: the magic, a line about refusals behind a cell, a line in the banner."""

from __future__ import annotations

import os
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from jupyter_qguard.kernel.channel import take_channel, use_channel
from jupyter_qguard.kernel.magic import complete, qguard

if TYPE_CHECKING:
    from jupyter_qguard.kernel.channel import Channel

_CELL = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""As nbformat has it."""
_TIERS = {
    "netns": "in a sandbox that was proved at its start",
    "platform": "held by the network policy around it",
    "cooperative": "by proxy variables only, which hold nobody who does not heed them",
}


def load(shell: Any) -> None:
    """Put it into *shell*, an InteractiveShell."""
    shell.register_magic_function(qguard, "line", "qguard")
    shell.set_hook("complete_command", complete, str_key="%qguard")
    _hide_our_folder()
    channel, tier = take_channel(os.environ)
    if channel is None:
        return
    use_channel(channel)
    channel.say("hello")
    shell.events.register("pre_run_cell", partial(_before_cell, channel))
    shell.events.register("post_run_cell", partial(_after_cell, channel))
    how = _TIERS.get(tier, "in a way that this version does not know")
    shell.banner2 = f"{shell.banner2}qguard: tier {tier}: guarded {how}. %qguard status says what holds.\n"


def _before_cell(channel: Channel, info: Any) -> None:
    """Tell the gateway which cell runs, so that the trail leads from it to a vendor's job."""
    cell = str(getattr(info, "cell_id", None) or "")
    channel.say("cell", cell=cell if _CELL.fullmatch(cell) else "", trace=os.urandom(16).hex())


def _after_cell(channel: Channel, _result: Any) -> None:
    if channel.was_refused():
        from jupyter_qguard.kernel.refusals import tell_refusals  # noqa: PLC0415 - most cells never need it

        tell_refusals(channel)


def _hide_our_folder() -> None:
    """Take the folder that this package is imported from out of what children get, who import their own."""
    ours = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))  # noqa: PTH120 - pathlib costs a kernel's start
    folders = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each and each != ours]
    if folders:
        os.environ["PYTHONPATH"] = os.pathsep.join(folders)
    else:
        os.environ.pop("PYTHONPATH", None)
