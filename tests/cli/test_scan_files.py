"""Which files ``qguard scan`` reads, and what it makes of those that it cannot read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from jupyter_qguard.cli.walk import files_below
from tests.server.planted import make_secret


def leak(path: Path, seed: object = 0) -> str:
    secret = make_secret(f"files {seed}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'api_key = "{secret}"\n')
    return secret


def below(folder: Path, *, start: str = ".", exclude=(), gitignore=True) -> set[str]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        return {path.as_posix() for path in files_below([Path(start)], exclude, gitignore=gitignore)}
    finally:
        os.chdir(before)


def lay(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")


def ignore(folder: Path, *patterns: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("".join(f"{pattern}\n" for pattern in patterns))


def git_says(folder: Path) -> set[str]:
    """The files that git itself would add."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--others", "--exclude-standard"], cwd=folder, capture_output=True, check=True
    )
    return {name for name in done.stdout.decode().split("\0") if name}


@pytest.fixture
def repository(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    return tmp_path


@pytest.mark.parametrize(
    "rules",
    [
        {"": ["*.log", "!keep.log"]},
        {"": ["/a.log", "sub/"]},
        {"": ["*.log"], "sub": ["!a.log"]},
        {"": ["sub/*", "!sub/deep/"], "sub/deep": ["keep.log"]},
        {"": ["**/deep/*.log"], "sub": ["*.py"]},
        {"sub": ["/a.log", "deep/**"]},
        {"": ["sub/deep", "# sub", r"\#x", "a?log", " "]},
    ],
)
@pytest.mark.parametrize("start", ["", "sub", "sub/deep"])
def test_nested_and_negated_patterns_are_taken_as_git_takes_them(repository, rules, start):
    lay(
        repository,
        *(f"{place}{name}" for place in ("", "sub/", "sub/deep/") for name in ("a.log", "keep.log", "b.py", "#x")),
    )
    for place, patterns in rules.items():
        ignore(repository / place, *patterns)
    theirs = {name for name in git_says(repository) if name.startswith(start) and not name.endswith(".gitignore")}
    ours = {name for name in below(repository, start=start or ".") if not name.endswith(".gitignore")}
    if theirs:  # else git ignores the whole folder, which was named: see the next test
        assert ours == theirs


def test_a_folder_that_is_named_is_scanned_even_if_it_is_ignored(repository):
    ignore(repository, "sub/")
    lay(repository, "sub/a.py")
    assert "sub/a.py" not in below(repository)
    assert below(repository, start="sub") == {"sub/a.py"}


def test_patterns_outside_the_repository_say_nothing(tmp_path):
    ignore(tmp_path, "*.py")
    lay(tmp_path, "repo/.git/HEAD", "repo/a.py")
    assert below(tmp_path / "repo") == {"a.py"}


def test_exclude_leaves_out(tmp_path):
    lay(tmp_path, "a.py", "sub/b.py", "sub/c.log", "data/d.py")
    assert below(tmp_path, exclude=["*.log", "/data"]) == {"a.py", "sub/b.py"}
    assert below(tmp_path, exclude=["*.py", "!b.py"]) == {"sub/b.py", "sub/c.log"}


def test_links_to_folders_to_nowhere_and_to_themselves_are_passed_by(tmp_path):
    lay(tmp_path, "a.py", "sub/b.py")
    for name, target in (("loop", "loop"), ("nowhere", "missing"), ("sub/up", ".."), ("file.py", "a.py")):
        (tmp_path / name).symlink_to(target)
    os.mkfifo(tmp_path / "pipe")
    assert below(tmp_path) == {"a.py", "file.py", "sub/b.py"}


def test_what_cannot_be_read_is_an_error_and_the_rest_is_scanned(run, work):
    secret = leak(work / "good.py")
    (work / "shut.py").write_text("x = 1\n")
    (work / "shut.py").chmod(0)
    (work / "closed").mkdir(mode=0)
    done = run("scan", ".", "--format", "json", unprivileged=True)
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert {error["path"]: error["message"] for error in report["errors"]} == {
        "closed": "cannot be read: Permission denied",
        "shut.py": "cannot be read: Permission denied",
    }
    assert [finding["path"] for finding in report["findings"]] == ["good.py"]
    assert secret not in done.stdout.decode()
    (work / "good.py").unlink()
    assert run("scan", ".", unprivileged=True).returncode == 4


def test_names_that_are_no_utf8_or_command_a_terminal(run, work):
    names = [b"bad\xff.py", b"esc\x1b]0;x\x07\n.py"]
    for number, name in enumerate(names):
        Path(os.fsdecode(os.fsencode(work) + b"/" + name)).write_text(f'api_key = "{make_secret(number)}"\n')
    text = run("scan", ".")
    assert text.returncode == 1
    assert b"\x1b" not in text.stdout
    assert b"bad\xff.py\n" in text.stdout
    assert b"esc\\x1b]0;x\\x07\\n.py\n" in text.stdout
    report = json.loads(run("scan", ".", "--format", "json").stdout.decode("utf-8"))
    assert {os.fsencode(finding["path"]) for finding in report["findings"]} == set(names)
    (sarif,) = json.loads(run("scan", ".", "--format", "sarif").stdout.decode("utf-8"))["runs"]
    uris = {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in sarif["results"]}
    assert uris == {"bad%FF.py", "esc%1B%5D0%3Bx%07%0A.py"}
    assert len(run("scan", ".", "--format", "github").stdout.splitlines()) == 2


def test_a_cell_id_commands_no_terminal_and_breaks_no_report(run, work):
    cell = {"cell_type": "code", "id": "a\x1b[2J\n::error::x\ud800", "metadata": {}, "outputs": [], "source": ""}
    cell["source"] = f'api_key = "{make_secret("cell id")}"'
    document = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (work / "a.ipynb").write_text(json.dumps(document))
    outputs = {form: run("scan", "a.ipynb", "--format", form) for form in ("text", "json", "sarif", "github")}
    assert {form: done.returncode for form, done in outputs.items()} == dict.fromkeys(outputs, 1)
    assert b"\x1b" not in outputs["text"].stdout + outputs["json"].stdout
    assert json.loads(outputs["json"].stdout.decode())["findings"][0]["cell"]["id"] == cell["id"]
    assert len(outputs["github"].stdout.splitlines()) == 1
    assert not any(line.startswith(b"::error::") for line in outputs["text"].stdout.splitlines())


def test_files_over_the_limit_are_errors(run, work):
    (work / "big.log").write_text("x = 1\n" * 200_000)
    done = run("scan", ".", "--max-size", "1")
    assert done.returncode == 4
    assert b"larger than the limit of 1 MiB (--max-size)" in done.stdout
    assert run("scan", ".", "--max-size", "2").returncode == 0


def test_several_workers_say_the_same_as_one(run, work):
    for number in range(30):
        leak(work / f"sub{number % 3}" / f"{number}.py", number)
        (work / f"{number}.log").write_text("counts = {}\n" * 15_000)
    one, three = (json.loads(run("scan", ".", "--format", "json", "--jobs", jobs).stdout) for jobs in ("1", "3"))
    strip = lambda report: [{**finding, "fingerprint": ""} for finding in report["findings"]]  # noqa: E731
    assert len(one["findings"]) == 30
    assert strip(one) == strip(three)
    assert run("scan", ".", "--jobs", "0").returncode == 2


def test_a_worker_that_is_ended_fails_the_scan_and_does_not_hang_it(run, work):
    (work / "big.log").write_text("counts = {}\n" * 500_000)
    os.mkfifo(work / "pipe")
    process = run.start("scan", "big.log", "pipe", "--jobs", "2", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    writer = os.open(work / "pipe", os.O_WRONLY)  # waits for the worker that reads it
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        (reading,) = (
            child
            for child in children
            if any(each.readlink() == work / "pipe" for each in Path(f"/proc/{child}/fd").iterdir())
        )
        os.kill(int(reading), signal.SIGKILL)
        output, errors = process.communicate(timeout=60)
    finally:
        os.close(writer)
    assert (process.returncode, output) == (70, b"")
    assert b"worker process was ended" in errors


def test_standard_input_can_be_a_notebook(run):
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "source": [f'api_key = "{make_secret("name")}"']}
    data = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}).encode()
    done = run("scan", "-", "--stdin-name", "x/a.ipynb", "--format", "json", stdin=data)
    (finding,) = json.loads(done.stdout)["findings"]
    assert (finding["path"], finding["pointer"]) == ("x/a.ipynb", "/cells/0/source")
    assert run("scan", "-", "--stdin-name", "a.ipynb", stdin=b"{").returncode == 4
    assert run("scan", "-", "other").returncode == 2


def test_a_reader_that_has_enough_is_no_error_and_no_clean_bill(run, work):
    (work / "a.py").write_text("".join(f'api_key = "{make_secret(number)}"\n' for number in range(300)))
    process = run.start("scan", "a.py", "--format", "json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.read(1)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 1


def test_a_terminal_sees_a_bar_and_colours_and_a_pipe_does_not(run, work):
    for number in range(25):
        leak(work / f"{number}.py", number)
    code, shown = run.on_terminal("scan", ".")
    assert code == 1
    assert "scanning" in shown
    assert "\x1b[1m" in shown
    piped = run("scan", ".")
    assert b"\x1b" not in piped.stdout + piped.stderr


def test_an_output_is_written_through_a_link_and_to_a_device(run, work):
    leak(work / "a.py")
    (work / "real.json").write_text("old")
    (work / "real.json").chmod(0o640)
    (work / "link.json").symlink_to("real.json")
    assert run("scan", "a.py", "--format", "json", "-o", "link.json").returncode == 1
    assert (work / "link.json").is_symlink()
    assert json.loads((work / "real.json").read_text())["files"] == 1
    assert (work / "real.json").stat().st_mode & 0o777 == 0o640
    os.mkfifo(work / "pipe")
    reader = subprocess.Popen(["cat", "pipe"], cwd=work, stdout=subprocess.PIPE)
    assert run("scan", "a.py", "--format", "json", "-o", "pipe").returncode == 1
    assert json.loads(reader.communicate(timeout=30)[0])["files"] == 1
    assert (work / "pipe").is_fifo()
