"""Runs a real kernel in the sandbox and prints what came of it, one JSON object a line: in a process of its own, so
that the tests can give it another user, home and policy, and see what it leaves.

``python kernel_run.py [--stand-in FILE] [--no-bwrap] [--without PART] [--meddle WAY] SCENE``.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import logging
import os
import shutil
import signal
import socket
import struct
import sys
import time
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.session import Session

from jupyter_qguard.sandbox import ground, launch, owner, pod_launch, programs, proxy_door

HERE = Path(__file__).parent
PATIENCE = 60


def say(**what):
    print(json.dumps(what), flush=True)


async def new_kernel(name="python3"):
    manager = AsyncKernelManager(kernel_name=name)
    await manager.start_kernel(cwd=os.environ["WORKSPACE"])
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=PATIENCE)
    say(tier=manager.provisioner.tier.label, folder=str(manager.provisioner._folder), pid=manager.provisioner.pid)
    return manager, client


async def run(client, code, answer=None, began=None):
    said, errors = [], []

    def hear(message):
        if message["msg_type"] == "stream":
            said.append(message["content"]["text"])
            if began is not None:
                began.set()
        elif message["msg_type"] == "error":
            errors.append(message["content"]["ename"])

    await client.execute_interactive(
        code,
        output_hook=hear,
        timeout=PATIENCE,
        allow_stdin=answer is not None,
        stdin_hook=(lambda _message: client.input(answer)) if answer is not None else None,
    )
    return {"out": "".join(said), "errors": errors}


async def life():
    manager, client = await new_kernel()
    say(step="execute", **await run(client, "print(6 * 7)"))
    running = asyncio.ensure_future(
        run(client, "import time\nprint('asleep', flush=True)\nfor _ in range(600): time.sleep(0.1)")
    )
    await asyncio.sleep(0.5)  # that it sleeps already is no condition of anything: a later interrupt is as good
    await manager.interrupt_kernel()
    say(step="interrupt", **await running)
    say(step="alive", **await run(client, "x = 1; print(x)"))
    await manager.restart_kernel()
    await client.wait_for_ready(timeout=PATIENCE)
    say(step="restart", **await run(client, "print('x' in globals())"))
    await manager.shutdown_kernel()
    say(step="end", alive=await manager.is_alive())


async def work():
    """What notebooks do."""
    manager, client = await new_kernel()
    say(step="shell", **await run(client, "!tty && echo from $((40+2))"))
    say(step="input", **await run(client, "print('hello', input('name? '))", answer="ada"))
    pool = "import multiprocessing as m\nwith m.get_context('fork').Pool(2) as p: print(sum(p.map(abs, [-1, -2])))"
    say(step="multiprocessing", **await run(client, pool))
    local = (
        "import socket, threading\ns = socket.create_server(('127.0.0.1', 0))\n"
        "threading.Thread(target=lambda: s.accept()[0].send(b'ok')).start()\n"
        "print(socket.create_connection(s.getsockname()).recv(2))"
    )
    say(step="local_service", **await run(client, local))
    say(step="descriptors", **await run(client, "import os; print(os.path.exists('/proc/1/fd/99'), os.getpid())"))
    say(step="raw_output", **await run(client, "import os; print(os.write(1, b'raw' * 100000))"))
    say(
        step="nested",
        **await run(client, "import subprocess as s; print(s.run(['unshare', '-Ur', 'true']).returncode)"),
    )
    say(step="widget", **await talk_to_a_widget(client))
    say(step="debugger", **await debug(client))
    await manager.shutdown_kernel()


WIDGET = """
from comm import create_comm
widget = create_comm(target_name='tests', data={'value': 1})
widget.on_msg(lambda message: widget.send({'value': message['content']['data']['value'] * 2}))
"""


async def heard(client, kind, within):
    """The content of the next message of *kind* that *within* finds right."""
    while True:
        message = await client.get_iopub_msg(timeout=PATIENCE)
        if message["msg_type"] == kind and within(message["content"]):
            return message["content"]


async def talk_to_a_widget(client):
    """As a front end does: it hears of a widget of the kernel, changes it, and hears what became of it."""
    client.execute(WIDGET)
    opened = await heard(client, "comm_open", lambda content: content["target_name"] == "tests")
    client.shell_channel.send(client.session.msg("comm_msg", {"comm_id": opened["comm_id"], "data": {"value": 21}}))
    changed = await heard(client, "comm_msg", lambda content: content["comm_id"] == opened["comm_id"])
    return {"out": [opened["data"]["value"], changed["data"]["value"]]}


async def debug(client):
    """Stop at a line, look at a variable, go on, by the debug adapter protocol."""
    number = itertools.count(1)

    async def ask(command, **arguments):
        content = {"type": "request", "seq": next(number), "command": command, "arguments": arguments}
        message = client.session.msg("debug_request", content)
        client.control_channel.send(message)
        while True:
            reply = await client.get_control_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") == message["msg_id"]:
                return reply["content"].get("body", {})

    code = "x = 41\ny = x + 1\nprint('went on')\n"
    await ask("initialize", clientID="tests", adapterID="", pathFormat="path", linesStartAt1=True, columnsStartAt1=True)
    await ask("attach")
    source = {"path": (await ask("dumpCell", code=code))["sourcePath"]}
    await ask("setBreakpoints", breakpoints=[{"line": 3}], source=source, sourceModified=False)
    await ask("configurationDone")
    client.execute(code)
    thread = (await heard(client, "debug_event", lambda content: content["event"] == "stopped"))["body"]["threadId"]
    frame = (await ask("stackTrace", threadId=thread))["stackFrames"][0]
    scope = (await ask("scopes", frameId=frame["id"]))["scopes"][0]
    values = (await ask("variables", variablesReference=scope["variablesReference"]))["variables"]
    await ask("continue", threadId=thread)
    said = await heard(client, "stream", lambda content: content["name"] == "stdout")
    await ask("disconnect", restart=False, terminateDebuggee=False)
    return {"out": [frame["line"], {each["name"]: each["value"] for each in values}.get("y"), said["text"]]}


async def elsewhere():
    """In a workspace that is not like others: what is written to it, and what is read of it."""
    manager, client = await new_kernel()
    say(step="read", **await run(client, "print(open('there.txt').read())"))
    say(step="write", **await run(client, "open('new.txt', 'w').write('x'); print(open('new.txt').read())"))
    await manager.shutdown_kernel()


async def installs():
    """A package comes into the overlay, and the next kernel has it; the environment stays as it is."""
    for step in ("first", "second"):
        manager, client = await new_kernel()
        if step == "first":
            say(step="pip", **await run(client, "%pip install --no-index --find-links wheels tinyqguard"))
        say(step=step, **await run(client, "import tinyqguard; print(tinyqguard.__file__)"))
        cached = "import pathlib; f = pathlib.Path.home() / '.cache/mine'; print(f.exists()); f.write_text('x')"
        say(step=f"cache_{step}", **await run(client, cached))
        await manager.shutdown_kernel()


async def at_home():
    """The workspace is the home folder."""
    manager, client = await new_kernel()
    write = "open('{}', 'a').write('x'); print('written')"
    for name in ("new.txt", ".bashrc", "folder/new.txt"):
        say(step=name, **await run(client, write.format(name)))
    await manager.shutdown_kernel()


async def parallel():
    kernels = await asyncio.gather(*(new_kernel() for _ in range(3)))
    for _, client in kernels:
        say(step="parallel", **await run(client, "print(1)"))
    await asyncio.gather(*(manager.shutdown_kernel() for manager, _ in kernels))


async def tcp():
    """A kernel that knows TCP alone, as those of many languages."""
    spec = Path(os.environ["JUPYTER_PATH"]) / "kernels" / "tcp"
    spec.mkdir(parents=True)
    program = shutil.copy(HERE / "tcp_kernel.py", spec)  # a kernel sees the folder of its kernelspec
    argv = [sys.executable, program, "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "TCP", "language": "none"}))
    manager, client = await new_kernel("tcp")
    say(step="execute", **await run(client, "print(kernel_says_transport())"))
    say(step="large", **await run(client, "print('x' * 3_000_000)"))
    began = asyncio.Event()
    code = "import time\nprint('asleep', flush=True)\nwhile True: time.sleep(600)"
    running = asyncio.ensure_future(run(client, code, began=began))
    await began.wait()
    await manager.interrupt_kernel()
    say(step="interrupt", **await running)
    # With a session of its own, as another front end has: of two peers of one name the kernel hears the latest.
    second = manager.client(session=Session(key=manager.session.key, session="second"))
    second.start_channels()
    await second.wait_for_ready(timeout=PATIENCE)
    say(step="second", **await run(second, "print(2)"))
    await manager.restart_kernel()
    await client.wait_for_ready(timeout=PATIENCE)
    say(step="restart", **await run(client, "print(3)"))
    say(step="second_after", **await run(second, "print(4)"))
    await manager.shutdown_kernel()
    say(step="end", alive=await manager.is_alive())


async def killed():
    """The kernel is killed from inside."""
    manager, client = await new_kernel()
    client.execute("import os; os.kill(os.getpid(), 9)")
    started = time.monotonic()
    while await manager.is_alive() and time.monotonic() - started < PATIENCE:  # noqa: ASYNC110 - as the restarter does
        await asyncio.sleep(0.02)
    say(step="killed", alive=await manager.is_alive())
    await manager.restart_kernel(now=True)
    await client.wait_for_ready(timeout=PATIENCE)
    say(step="again", **await run(client, "print(2)"))
    await manager.shutdown_kernel(now=True)


async def orphaned():
    """This process is killed while a kernel runs."""
    await new_kernel()
    os.kill(os.getpid(), signal.SIGKILL)


async def start_only():
    manager, _ = await new_kernel()
    await manager.shutdown_kernel(now=True)


FETCH = """
import http.client
def fetch(url, port=3128):
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=20)
    connection.request('GET', url)
    answer = connection.getresponse()
    return f'{answer.status} {answer.reason} {answer.read().decode()}'
"""


async def egress():
    """With the real gateway: what is allowed, what is not, and both again after the gateway was killed."""
    manager, client = await new_kernel()
    await run(client, FETCH)
    allowed, other = os.environ["ALLOWED"], "http://other.example.org/"
    say(step="allowed", **await run(client, f"print(fetch({allowed!r}))"))
    say(step="refused", **await run(client, f"print(fetch({other!r}))"))
    port = allowed.split(":")[2].strip("/")
    say(step="past", **await run(client, f"print(fetch('/', {port}))"))
    os.kill(ground.the_owner().pid, signal.SIGKILL)
    began = time.monotonic()
    say(step="healed", **await run(client, f"print(fetch({allowed!r}))"), seconds=time.monotonic() - began)
    say(step="still_refused", **await run(client, f"print(fetch({other!r}))"))
    await manager.shutdown_kernel()


CHILDREN = """
import multiprocessing, subprocess, sys
code = 'import os, stat; print([n for n in os.listdir("/proc/self/fd") if n > "2" and os.path.exists(f"/proc/self/fd/{n}") and stat.S_ISSOCK(os.stat(f"/proc/self/fd/{n}").st_mode)])'
print(subprocess.run([sys.executable, '-c', code], close_fds=False, capture_output=True, text=True).stdout)
def forked():
    from jupyter_qguard.kernel import status
    try: return status()['tier']
    except Exception as error: return str(error)
with multiprocessing.get_context('fork').Pool(1) as pool: print(pool.apply(forked))
"""
REFUSED = "import http.client\nc = http.client.HTTPSConnection('127.0.0.1', 3128)\nc.set_tunnel({!r})\nc.connect()"


async def companion():
    """The guard's part inside of the kernel, from its start over a restart and a gateway that was killed."""
    manager, client = await new_kernel()
    reply = await client.kernel_info(reply=True, timeout=PATIENCE)
    say(step="banner", out=reply["content"]["banner"])
    say(step="help", **await run(client, "%qguard"))
    say(step="status", **await run(client, "%qguard status"))
    say(step="variable", **await run(client, "import os; print(os.environ.get('QGUARD_CONTROL'))"))
    say(step="children", **await run(client, CHILDREN))
    say(step="quiet", **await run(client, "print('nothing')"))
    for step in ("refused", "again"):
        say(step=step, **await run(client, REFUSED.format("paste.example.com")))
    say(step="unknown", **await run(client, "%qguard expand x\nprint('went on')"))
    say(step="completed", out=str((await client.complete("%qguard ex", reply=True))["content"]["matches"]))
    os.kill(ground.the_owner().pid, signal.SIGKILL)
    say(step="healed", **await run(client, "%qguard explain paste.example.com"))
    await manager.restart_kernel()
    await client.wait_for_ready(timeout=PATIENCE)
    twin = "from jupyter_qguard.kernel import explain, status\nprint(status()['tier'], explain('x.test')['action'])"
    say(step="restarted", **await run(client, twin))
    where = "import sys, jupyter_qguard; print(jupyter_qguard.__file__, 'msgspec' in sys.modules, sys.prefix)"
    say(step="where", **await run(client, where))
    await manager.shutdown_kernel()


TRY = """
def tried(call, *words, **named):
    try: print('reached', call(*words, **named))
    except Exception as error: print(type(error).__name__, error)
"""
CLIENTS = {
    "requests": "import requests\ntried(requests.get, 'https://requests.example.com/x')",
    "httpx": "import httpx\ntried(httpx.get, 'https://httpx.example.com/x')",
    "plain_http": "import requests\ntried(requests.get, 'http://plain.example.com/x')",
    "boto3": (
        "import boto3, botocore.config\n"
        "s3 = boto3.client('s3', region_name='eu-west-1', aws_access_key_id='x', aws_secret_access_key='x',\n"
        "    config=botocore.config.Config(retries={'total_max_attempts': 1}))\n"
        "tried(s3.list_buckets)"
    ),
    "name": "import socket\ntried(socket.create_connection, ('name.example.com', 443), timeout=20)",
    "address": "import socket\ntried(socket.create_connection, ('203.0.113.7', 443), timeout=20)",
    "tls": (
        "import ssl, socket\n"
        "def greet():\n"
        "    raw = socket.create_connection(('api.example.org', 443), timeout=20)\n"
        "    with ssl.create_default_context().wrap_socket(raw, server_hostname='fronted.example.org') as end: pass\n"
        "tried(greet)"
    ),
    "thread": (
        "import threading, requests\n"
        "work = threading.Thread(target=tried, args=(requests.get, 'https://thread.example.com/'))\n"
        "work.start(); work.join()"
    ),
    "asyncio": (
        "import asyncio, httpx\n"
        "async def one():\n"
        "    async with httpx.AsyncClient() as client: return await client.get('https://asyncio.example.com/')\n"
        "for found in await asyncio.gather(one(), one(), one(), return_exceptions=True): print(found)"
    ),
    "child": (
        "import subprocess, sys\n"
        "fetch = \"import urllib.request as u; u.urlopen('https://child.example.com/')\"\n"
        "print(subprocess.run([sys.executable, '-c', fetch], capture_output=True, text=True).stderr)"
    ),
}


async def clients():
    """What clients are told that are refused, and what stands below their cells."""
    manager, client = await new_kernel()
    await run(client, TRY)
    for step in os.environ["STEPS"].split():
        say(step=step, **await run(client, CLIENTS[step]))
    say(step="late", **await run(client, "print('a quiet cell')"))
    await manager.shutdown_kernel()


FORGE = """
import json, os, pathlib, time
for state in (os.environ.get('XDG_STATE_HOME') or '~/.local/state', {state!r}):
    folder = pathlib.Path(state).expanduser() / 'jupyter-qguard/allow'
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        request = dict(kernel={kernel!r}, target='forged.example.com', seconds=600, reason='x', asked=time.time())
        file = folder / '0123456789abcdef.request'
        file.write_text(json.dumps(request))
        file.chmod(0o600)
        print(len(list(folder.iterdir())), 'there')
    except OSError as error: print(error)
"""


async def allowed_once():
    """A person outside lets the kernel reach a host; the kernel cannot do that itself."""
    manager, client = await new_kernel()
    await run(client, TRY)
    reach = "import requests\ntried(requests.get, 'https://{}/')"
    say(step="before", **await run(client, reach.format("once.example.com")))
    say(step="explain", **await run(client, "%qguard explain once.example.com"))
    kernel = manager.provisioner.kernel_id
    say(step="forge", **await run(client, FORGE.format(kernel=kernel, state=str(Path.home() / ".local/state"))))
    command = [sys.executable, "-m", "jupyter_qguard.cli", "allow", "once.example.com", "--kernel", kernel[:8]]
    command += ["--for", "30m", "--reason", "a test"]
    asked = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asked.communicate()
    say(step="asked", out=out.decode(), err=err.decode(), code=asked.returncode)
    for step in ("once", "forged"):
        say(step=step, **await run(client, reach.format(f"{step}.example.com")))
    say(step="status", **await run(client, "%qguard status"))
    await manager.shutdown_kernel()


async def dying():
    """A kernel that ends before it runs anything, and one that does after."""
    logged = []
    handler = logging.Handler()
    handler.emit = lambda record: logged.append(record.getMessage())
    for name in ("broken", "python3"):
        manager = AsyncKernelManager(kernel_name=name)
        manager.log.addHandler(handler)
        await manager.start_kernel(cwd=os.environ["WORKSPACE"])
        if name == "python3":
            client = manager.client()
            client.start_channels()
            await client.wait_for_ready(timeout=PATIENCE)
            client.execute("import os; os.write(2, b'said-by-a-cell'); os._exit(3)")
        while await manager.is_alive():  # noqa: ASYNC110 - the test has a patience of its own
            await asyncio.sleep(0.02)
        say(step=name, tier=manager.provisioner.tier.label, out="\n".join(logged))
        logged.clear()


async def no_ipython():
    """A program that is no IPython kernel: it is given nothing that it would have to look after."""
    manager = AsyncKernelManager(kernel_name="plain")
    await manager.start_kernel(cwd=os.environ["WORKSPACE"])
    found = Path(os.environ["WORKSPACE"]) / "found.json"
    while not found.exists():  # noqa: ASYNC110 - the test has a patience of its own
        await asyncio.sleep(0.02)
    say(step="found", tier=manager.provisioner.tier.label, **json.loads(found.read_text()))
    await manager.shutdown_kernel(now=True)


async def pod():
    """Without namespaces, in a network that leads to a proxy alone."""
    manager, client = await new_kernel()
    other_manager, other = await new_kernel()
    get = "import urllib.request as u; print(u.urlopen({!r}, timeout=20).read().decode())"
    say(step="allowed", **await run(client, get.format("http://api.vendor.test:8080/")))
    fails = "try:\n    {}\nexcept Exception as e: print(repr(e))"
    for step, url in (("refused", "https://example.com/"), ("plain", "http://example.com/")):
        say(step=step, **await run(client, fails.format(get.format(url))))
    past = "import os; os.environ['no_proxy'] = '*'; " + get.format("https://1.1.1.1/")
    say(step="past_the_proxy", **await run(client, fails.format(past)))
    said = await run(client, "import os; print(os.environ['HTTPS_PROXY'].rpartition(':')[2])")
    with socket.create_connection(("127.0.0.1", int(said["out"]))) as stranger:
        stranger.sendall(b"CONNECT api.vendor.test:8080 HTTP/1.1\r\n\r\n")
        say(step="stranger", out=stranger.recv(4096).decode())
    process = manager.provisioner.pid
    for step, code in {
        "workspace": "open('mine.txt', 'w').write('x'); print('written')",
        "tmp": "import tempfile; tempfile.TemporaryFile().write(b'x'); print('written')",
        "home": "open(os.path.expanduser('~/.bashrc'), 'a').write('x'); print('written')",
        "moved": "os.rename('mine.txt', os.path.expanduser('~/.profile')); print('written')",
        "other_kernel": f"print(len(open('/proc/{process}/environ', 'rb').read()))",
        "signal": f"os.kill({process}, 0); print('signalled')",
        "server": f"os.kill({os.getpid()}, 0); print('signalled')",
        "ring": "import ctypes; l = ctypes.CDLL(None, use_errno=True); print(l.syscall(425, 1, 0), ctypes.get_errno())",
    }.items():
        say(step=step, **await run(other, "import os\n" + fails.format(code)))
    say(step="shell", **await run(client, "!tty && echo from $((40+2))"))
    pool = "import multiprocessing as m\nwith m.get_context('fork').Pool(2) as p: print(sum(p.map(abs, [-1, -2])))"
    say(step="multiprocessing", **await run(client, pool))
    plot = "import os\nprint(open(os.path.join(os.environ['MPLCONFIGDIR'], 'made'), 'w').write('x'))"
    say(step="matplotlib", **await run(client, plot))
    running = asyncio.ensure_future(run(client, "import time\nfor _ in range(600): time.sleep(0.1)"))
    await asyncio.sleep(0.5)
    await manager.interrupt_kernel()
    say(step="interrupt", **await running)
    await manager.restart_kernel()
    await client.wait_for_ready(timeout=PATIENCE)
    say(step="restart", **await run(client, get.format("http://api.vendor.test:8080/")))
    for each in (manager, other_manager):
        await each.shutdown_kernel()


def meddle(way):
    """Between the look at the files and bubblewrap's, do to the workspace's ``.vscode`` what *way* says.

    ``moved``: once it is not there; ``link``: each time a link to keys is in its place; ``gone``: each time nothing is.
    """
    look, place, turns = launch.bwrap_arguments, Path(os.environ["WORKSPACE"]) / ".vscode", iter(range(100))
    keys = place.with_name("keys")
    keys.mkdir()

    def looked(*given):
        if place.is_symlink():
            place.unlink()
        place.mkdir(exist_ok=True)
        found = look(*given)
        say(step="looked")
        if way != "moved" or not next(turns):
            place.rmdir()
            if way == "link":
                place.symlink_to(keys)
        return found

    launch.bwrap_arguments = looked


SCENES = {
    each.__name__: each
    for each in (
        *(life, work, elsewhere, installs, at_home, parallel, tcp, killed, orphaned, start_only, egress),
        *(companion, no_ipython, dying, clients, allowed_once, pod),
    )
}


def without_filter():
    """Every system call is let through."""
    for module in (programs, pod_launch):
        module.filter_program = lambda _machine: struct.pack("<HBBI", 6, 0, 0, 0x7FFF0000)


def without_rules():
    """Tier platform: Landlock lets everything be written."""
    judge = pod_launch.judge
    pod_launch.judge = lambda probe, orders, *given, **named: judge(
        probe, [{**orders[0], "writable": [("/", True)]}, *orders[1:]], *given, **named
    )


def without_password():
    """Tier platform: the gateway serves every process of the machine."""
    proxy_door.digest_of = lambda _password: ""


GUARDS_OUT = {"filter": without_filter, "rules": without_rules, "password": without_password}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--stand-in", default="")
    parser.add_argument("--without", choices=GUARDS_OUT, help="a part of the guard that is taken out")
    parser.add_argument("--no-bwrap", action="store_true")
    parser.add_argument("--meddle", default="")
    parser.add_argument("scene", choices=SCENES)
    asked = parser.parse_args()
    os.environ["JUPYTER_DEFAULT_PROVISIONER_NAME"] = "qguard-provisioner"
    if asked.stand_in:
        command = [sys.executable, str(HERE / "stand_in.py"), asked.stand_in]
        real = owner.Owner.__init__
        owner.Owner.__init__ = lambda self, welcome: real(self, welcome, command)
    if asked.without:
        GUARDS_OUT[asked.without]()
    if asked.no_bwrap:
        programs.shutil.which = lambda *_, **__: None
    if asked.meddle:
        meddle(asked.meddle)
    try:
        asyncio.run(SCENES[asked.scene]())
    except Exception as error:  # noqa: BLE001 - it is what is asked for
        say(failed=type(error).__name__, message=str(error))


main()
