"""Kernels of a real server, and of `jupyter execute`, are in the sandbox, whatever their kernelspec says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from jupyter_client.blocking import BlockingKernelClient

from tests.server.harness import JupyterServer
from tests.server.listener import EventListener

pytestmark = pytest.mark.e2e

PATIENCE = 60
DEVICES = "print([l.split(':')[0].strip() for l in open('/proc/net/dev') if ':' in l])"
EXCEPTION = """
apiVersion: qguard/v1
exceptions:
  - {what: "kernelspec:other", owner: lab, reason: tests, compensating_control: none, expires: 2999-01-31}
"""


@pytest.fixture
def server(tmp_path, request):
    made = JupyterServer(tmp_path, policy=getattr(request, "param", "apiVersion: qguard/v1\n"))
    spec = made.home / "data" / "kernels" / "other"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    metadata = {"kernel_provisioner": {"provisioner_name": "local-provisioner"}}
    text = {"argv": argv, "display_name": "Other", "language": "python", "metadata": metadata}
    (spec / "kernel.json").write_text(json.dumps(text))
    made.start()
    yield made
    made.stop()


def client_of(server, kernel):
    (file,) = server.folder.rglob(f"kernel-{kernel}.json")
    client = BlockingKernelClient(connection_file=str(file))
    client.load_connection_file()
    client.start_channels()
    wait_until_ready(client)
    return client


def wait_until_ready(client):
    """A client without a manager takes a kernel for dead whose heart does not beat yet."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            client.wait_for_ready(timeout=PATIENCE)
        except RuntimeError:
            assert time.monotonic() < end
        else:
            return


def recorded(server, kind, kernel):
    """What the trail says of *kernel*, waiting until there is something."""
    end = time.monotonic() + PATIENCE
    while True:
        files = sorted(server.folder.rglob("audit-*.jsonl"))
        lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
        found = [each["data"] for each in lines if each["type"] == kind and each.get("kernel") == kernel]
        if found:
            return found
        assert time.monotonic() < end, [each["type"] for each in lines]
        time.sleep(0.02)


def said_by(client, code):
    said = []
    client.execute_interactive(
        code, output_hook=lambda message: said.append(message["content"].get("text", "")), timeout=PATIENCE
    )
    return "".join(said)


@pytest.mark.parametrize("server", [""], indirect=True)
def test_where_nobody_wrote_a_policy_kernels_start_as_ever_and_the_log_says_so(server):
    kernel = server.request("POST", "/api/kernels", {"name": "other"}).json["id"]
    client = client_of(server, kernel)
    network = said_by(client, "import os; print(os.stat('/proc/self/ns/net').st_ino)")
    client.stop_channels()
    assert int(network) == Path("/proc/self/ns/net").stat().st_ino
    assert "guards no kernels" in server.log
    assert recorded(server, "kernel.started", kernel) == [{"kernelspec": "other", "tier": "unguarded"}]
    assert server.request("GET", "/qguard/api/v1/status").json["kernels"] == {kernel: "unguarded"}


@pytest.mark.parametrize("server", ["apiVersion: qguard/v1\negress: {mode: enforce}\n"], indirect=True)
def test_a_refused_connection_is_told_to_the_front_end_with_its_reason(server):
    with EventListener(server) as heard:
        kernel = server.request("POST", "/api/kernels", {"name": "python3"}).json["id"]
        client = client_of(server, kernel)
        said_by(client, "import urllib.request as u\ntry: u.urlopen('https://other.example.org')\nexcept OSError: 0")
        client.stop_channels()
        event = heard.wait_for(kind="egress", kernel=kernel)
    assert "`other.example.org` is not on the allowlist" in event["message"]
    told = server.request("GET", "/qguard/api/v1/egress").json
    assert (told["mode"], told["kernels"][kernel]["tier"]) == ("enforce", "netns")
    (refused,) = told["kernels"][kernel]["refused"]
    assert (refused["host"], refused["port"]) == ("other.example.org", 443)
    assert "`other.example.org` is not on the allowlist" in server.log


SHELL = """
import subprocess
from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel
class Shell(Kernel):
    implementation = language = 'shell'; implementation_version = '1'; banner = ''
    language_info = {'name': 'shell', 'mimetype': 'text/x-sh', 'file_extension': '.sh'}
    def do_execute(self, code, silent, *_, **__):
        done = subprocess.run(['sh', '-c', code], capture_output=True, text=True)
        self.send_response(self.iopub_socket, 'stream', {'name': 'stdout', 'text': done.stdout + done.stderr})
        return {'status': 'ok', 'execution_count': 1, 'payload': [], 'user_expressions': {}}
IPKernelApp.launch_instance(kernel_class=Shell)
"""


@pytest.mark.parametrize("server", ["apiVersion: qguard/v1\negress: {mode: enforce}\n"], indirect=True)
def test_of_a_kernel_that_is_no_ipython_kernel_the_reason_is_in_the_interface_and_in_the_log(server):
    spec = server.home / "data" / "kernels" / "shell"
    spec.mkdir(parents=True)
    text = {"argv": [sys.executable, "-c", SHELL, "-f", "{connection_file}"], "display_name": "s", "language": "s"}
    (spec / "kernel.json").write_text(json.dumps(text))
    kernel = server.request("POST", "/api/kernels", {"name": "shell"}).json["id"]
    client = client_of(server, kernel)
    fetch = "import urllib.request as u; u.urlopen('https://shell.example.org')"
    heard = said_by(client, f'{sys.executable} -c "{fetch}"')
    client.stop_channels()
    assert "403 Forbidden: qguard: `shell.example.org` is not on the allowlist" in heard
    told = server.request("GET", "/qguard/api/v1/egress").json["kernels"][kernel]
    assert (told["tier"], [each["host"] for each in told["refused"]]) == ("netns", ["shell.example.org"])
    assert f"kernel {kernel}: A connection was refused: `shell.example.org`" in server.log
    assert recorded(server, "kernel.started", kernel)[0]["tier"] == "netns"
    assert recorded(server, "egress.decided", kernel)[0]["host"] == "shell.example.org"


def test_a_kernel_of_the_server_is_confined_through_its_whole_life(server):
    reply = server.request("POST", "/api/kernels", {"name": "python3"})
    assert reply.status == 201, server.log
    kernel = reply.json["id"]
    client = client_of(server, kernel)
    folder = Path(client.ip).parent
    assert server.request("GET", "/qguard/api/v1/status").json["kernels"] == {kernel: "netns"}
    assert said_by(client, DEVICES) == "['lo']\n"
    assert said_by(client, "open('written.txt', 'w').write('by a kernel'); print('ok')") == "ok\n"
    assert (server.root / "written.txt").read_text() == "by a kernel"
    code = f"import os; print(os.path.exists({str(server.log_file)!r}))"
    assert said_by(client, code) == "False\n", "others' temporary files are seen"
    assert server.request("POST", f"/api/kernels/{kernel}/restart").status == 200
    wait_until_ready(client)
    assert said_by(client, DEVICES) == "['lo']\n"
    client.stop_channels()
    assert server.request("DELETE", f"/api/kernels/{kernel}").status == 204
    assert not folder.exists()


def test_a_kernelspec_that_demands_another_provisioner_is_refused_with_the_reason(server):
    body = {"path": "x.ipynb", "type": "notebook", "name": "", "kernel": {"name": "other"}}
    reply = server.request("POST", "/api/sessions", body)
    assert reply.status == 500
    assert "`other` demands the provisioner `local-provisioner`" in reply.message
    assert "kernelspec:other" in reply.message


def test_the_reason_is_told_where_a_kernel_alone_is_asked_for_and_when_it_is_started_anew(server):
    reply = server.request("POST", "/api/kernels", {"name": "other"})
    assert (reply.status, "`other` demands the provisioner" in reply.message) == (500, True), reply.message
    started = server.request("POST", "/api/kernels", {"name": "python3"})
    assert started.status == 201
    server.policy_file.write_text(
        "apiVersion: qguard/v1\negress: {minimum_tier: netns}\n"
        "files: [{path: ~/.ssh, access: read_write, owner: a, reason: 100% sure, expires: 2099-01-31}]\n"
    )
    (server.home / ".ssh").mkdir(exist_ok=True)
    reply = server.request("POST", f"/api/kernels/{started.json['id']}/restart")
    assert reply.status == 500
    assert ".ssh" in reply.message, reply.message


@pytest.mark.parametrize("server", [EXCEPTION], indirect=True)
def test_an_exception_of_the_policy_lets_it_run(server):
    reply = server.request("POST", "/api/kernels", {"name": "other"})
    assert reply.status == 201, server.log
    assert recorded(server, "kernel.started", reply.json["id"])[0]["tier"] == "unguarded"
    assert server.request("DELETE", f"/api/kernels/{reply.json['id']}").status == 204


def test_a_server_that_is_killed_leaves_no_kernel(server):
    kernel = server.request("POST", "/api/kernels", {"name": "python3"}).json["id"]
    client = client_of(server, kernel)
    folder = str(Path(client.ip).parent)
    client.stop_channels()
    assert programs_of(folder)
    server.kill()
    end = time.monotonic() + PATIENCE
    while found := programs_of(folder):
        assert time.monotonic() < end, found
        time.sleep(0.02)


BY_HAND = """
import nbformat, sys
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], 4)
NotebookClient(notebook).execute()
nbformat.write(notebook, sys.argv[1])
"""
BIN = Path(sys.executable).parent
RUNNERS = {
    "execute": [str(BIN / "jupyter-execute"), "--inplace"],
    "nbconvert": [str(BIN / "jupyter-nbconvert"), "--execute", "--to", "notebook", "--inplace"],
    "nbclient": [sys.executable, "-c", BY_HAND],
}


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_notebook_that_is_run_without_a_server_runs_in_the_sandbox(tmp_path, runner):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(DEVICES)])
    path = tmp_path / "n.ipynb"
    nbformat.write(notebook, path)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "JUPYTER_PLATFORM_DIRS": "1",
        "JUPYTER_DEFAULT_PROVISIONER_NAME": "qguard-provisioner",
        # Where the rules of nbconvert's guard are compiled already.
        "XDG_CACHE_HOME": os.environ.get("QGUARD_TEST_CACHE", str(Path.home() / ".cache")),
    }
    command = [*RUNNERS[runner], str(path)]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (cell,) = nbformat.read(path, 4).cells
    assert cell.outputs[0]["text"] == "['lo']\n"


def programs_of(folder):
    """Programs with *folder* on their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if folder.encode() in (entry / "cmdline").read_bytes():
                    found.append(entry.name)
            except OSError:
                continue
    return found
