"""The way out of a kernel, against none and Squid, in one run: ``python -m benchmarks.egress [--squid PROGRAM]``.

A client opens tunnels by CONNECT to a server on loopback, and speaks TLS in them as an SDK does. The three ways take
turns; medians count. Client and server are Python and share two cores with the proxy: rates are theirs as much as the
proxy's, so that the proxy's own processor time is given too.
"""

from __future__ import annotations

import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING

import click
import msgspec

from benchmarks.certificate import make_certificate
from jupyter_qguard.gateway import control

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "api.bench.test"
SMALL = 512
_TICK = os.sysconf("SC_CLK_TCK")
POLICY = """apiVersion: qguard/v1
egress:
  allow:
    - {{host: {host}, ports: [{tls}], addresses: [127.0.0.0/8], owner: bench, reason: bench}}
    - {{host: {host}, ports: [{plain}], plain: true, addresses: [127.0.0.0/8], owner: bench, reason: bench}}
"""
SQUID = """{listen}
pid_filename none
access_log none
cache_log {folder}/cache.log
cache deny all
cache_mem 8 MB
http_access allow all
coredump_dir {folder}
shutdown_lifetime 0 seconds
workers 1
"""
LISTEN = {
    "squid": "http_port 127.0.0.1:{port}",
    # Reads the name in the TLS greeting, as the gateway does; the certificate is asked for and never used.
    "squid, SNI": """http_port 127.0.0.1:{port} ssl-bump cert={folder}/both.pem generate-host-certificates=off
acl step1 at_step SslBump1
acl named ssl::server_name {host}
ssl_bump peek step1
ssl_bump splice named
ssl_bump terminate all
on_unsupported_protocol tunnel all""",
}


@dataclass(frozen=True)
class Way:
    """One way to the server."""

    name: str
    proxy: int = 0
    """Port on loopback; 0 for none."""
    pid: int = 0

    def connect(self, port: int) -> socket.socket:
        """A connection to the server's *port*."""
        client = socket.create_connection(("127.0.0.1", self.proxy or port))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.proxy:
            client.sendall(f"CONNECT {HOST}:{port} HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode())
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += client.recv(4096)
            if b" 200 " not in answer[:20]:
                raise click.ClickException(answer.decode("ascii", "replace"))
        return client

    def cpu(self) -> float:
        """Seconds of the proxy's processor time so far."""
        if not self.pid:
            return 0.0
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    def memory(self) -> float:
        """MiB that the proxy holds."""
        if not self.pid:
            return 0.0
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def request(client: socket.socket, size: int) -> None:
    """Ask for *size* bytes and take them."""
    client.sendall(size.to_bytes(4, "big"))
    room = bytearray(1 << 18)
    while size > 0:
        size -= client.recv_into(room)


def new_tunnels(way: Way, port: int, trust: ssl.SSLContext, count: int) -> float:
    """Milliseconds for a tunnel, a TLS handshake and one small answer: the median of *count*."""
    took = []
    for _ in range(count):
        began = perf_counter()
        with trust.wrap_socket(way.connect(port), server_hostname=HOST) as client:
            request(client, SMALL)
            took.append(perf_counter() - began)
    return statistics.median(took) * 1000


def open_connection(way: Way, port: int, trust: ssl.SSLContext, count: int) -> float:
    """Microseconds for a small answer over a connection that is open: the median of *count*."""
    took = []
    with trust.wrap_socket(way.connect(port), server_hostname=HOST) as client:
        for _ in range(count):
            began = perf_counter()
            request(client, SMALL)
            took.append(perf_counter() - began)
    return statistics.median(took) * 1e6


def bulk(way: Way, port: int, trust: ssl.SSLContext | None, size: int) -> float:
    """MB a second of one large answer."""
    connection = way.connect(port)
    with trust.wrap_socket(connection, server_hostname=HOST) if trust else connection as client:
        request(client, SMALL)
        began = perf_counter()
        request(client, size)
        return size / (perf_counter() - began) / 1e6


def rate(way: Way, port: int, trust: ssl.SSLContext, clients: int, count: int) -> float:
    """Small answers a second over *clients* connections that are open."""
    opened = [trust.wrap_socket(way.connect(port), server_hostname=HOST) for _ in range(clients)]

    def ask(client: socket.socket) -> None:
        for _ in range(count // clients):
            request(client, SMALL)

    threads = [threading.Thread(target=ask, args=(client,)) for client in opened]
    began = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = perf_counter() - began
    for client in opened:
        client.close()
    return count // clients * clients / took


def start_gateway(stack: ExitStack, folder: Path, ports: tuple[int, int]) -> Way:
    """The gateway as its owner starts it, with a name of the benchmark's own."""
    (folder / "policy.yaml").write_text(POLICY.format(host=HOST, tls=ports[0], plain=ports[1]), encoding="utf-8")
    (folder / "names.json").write_text(f'{{"{HOST}": ["127.0.0.1"]}}', encoding="utf-8")
    mine, theirs = control.make_pair()
    environ = {**os.environ, "QGUARD_POLICY": str(folder / "policy.yaml"), "XDG_STATE_HOME": str(folder)}
    command = [
        sys.executable,
        "-m",
        "tests.gateway.entry",
        str(folder / "names.json"),
        "--control",
        str(theirs.fileno()),
    ]
    process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environ)
    theirs.close()
    stack.callback(process.wait)
    stack.enter_context(mine)
    decoder = msgspec.json.Decoder(control.ToOwner)
    control.send_message(mine, control.Welcome(user="ada"))
    control.receive_message(mine, decoder)
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        port = listener.getsockname()[1]
        doors = (control.Door(control.DoorKind.PROXY, port),)
        control.send_message(mine, control.OpenDoors(request=1, kernel="k", doors=doors), [listener.fileno()])
        control.receive_message(mine, decoder)
    return Way("gateway", port, process.pid)


def start_squid(stack: ExitStack, folder: Path, program: str, name: str) -> Way:
    """Squid with one worker and no log, which knows the host from a file of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    hosts, settings = folder / "hosts", folder / f"{name[-3:]}.conf"
    hosts.write_text(f"127.0.0.1 {HOST}\n", encoding="ascii")
    folder.chmod(0o755)
    listen = LISTEN[name].format(port=port, folder=folder, host=HOST)
    text = SQUID.format(listen=listen, folder=folder) + f"hosts_file {hosts}\n"
    settings.write_text(text, encoding="ascii")
    process = subprocess.Popen([program, "-N", "-f", str(settings)], stderr=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.kill)
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            sleep(0.05)
        else:
            return Way(name, port, process.pid)
    message = "Squid does not start"
    raise click.ClickException(message)


def measures(ports: tuple[int, int], trust: ssl.SSLContext) -> dict[str, Callable[[Way], float]]:
    """What is measured, and how."""
    tls, plain = ports
    found: dict[str, Callable[[Way], float]] = {
        "new tunnel, ms": lambda way: new_tunnels(way, tls, trust, 60),
        "open connection, us": lambda way: open_connection(way, tls, trust, 1000),
        "throughput in TLS, MB/s": lambda way: bulk(way, tls, trust, 200_000_000),
        "throughput plain, MB/s": lambda way: bulk(way, plain, None, 600_000_000),
    }
    for clients in (1, 8, 64):
        found[f"requests/s, {clients} connections"] = lambda way, n=clients: rate(way, tls, trust, n, 3200)  # type: ignore[misc]
    return found


@click.command()
@click.option("--rounds", default=7, show_default=True, help="The median counts.")
@click.option("--squid", help="Program; without it Squid is left out.")
def main(rounds: int, squid: str | None) -> None:
    """Measure; print one table."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        certificate, key = make_certificate(folder, HOST)
        server = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.egress_server", str(certificate), str(key)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        stack.callback(server.communicate)
        assert server.stdout
        tls, plain = (int(each) for each in server.stdout.readline().split())
        trust = ssl.create_default_context(cafile=str(certificate))
        ways = [Way("direct"), start_gateway(stack, folder, (tls, plain))]
        if squid:
            (folder / "both.pem").write_bytes(certificate.read_bytes() + key.read_bytes())
            ways += [start_squid(stack, folder, squid, name) for name in LISTEN]
        click.echo(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, {rounds} rounds")
        for name, measure in measures((tls, plain), trust).items():
            report(name, measure, ways, rounds)
        for way in ways[1:]:
            click.echo(f"{way.name}: {way.memory():.0f} MiB")


def report(name: str, measure: Callable[[Way], float], ways: list[Way], rounds: int) -> None:
    """One line: the median of each way, and the processor time of its proxy in all rounds together."""
    values: dict[str, list[float]] = {way.name: [] for way in ways}
    spent = dict.fromkeys(values, 0.0)
    for _ in range(rounds):
        for way in ways:
            before = way.cpu()
            values[way.name].append(measure(way))
            spent[way.name] += way.cpu() - before
    cells = [f"{each} {statistics.median(found):8.1f} (cpu {spent[each]:5.2f} s)" for each, found in values.items()]
    click.echo(f"{name:32}" + "  ".join(cells))


if __name__ == "__main__":
    main()
