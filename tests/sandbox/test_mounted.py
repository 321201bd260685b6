"""Whether a mount lies where it was wanted, by what Linux lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_qguard.sandbox.mounted import misplaced

ARGUMENTS = (
    "--ro-bind / / --proc /proc --dev /dev --cap-drop ALL --perms 1777 --tmpfs /tmp --bind /h/work /h/work "
    "--bind /h/work/a /h/work/a --ro-bind /h/work/a/.git /h/work/a/.git --tmpfs /h/work/key --ro-bind /dev/null /h/work/.env "
    "--symlink x /h/l --remount-ro /h/work/key"
).split()
LINES = {
    "root": "1 0 8:1 / / ro,nosuid - ext4 /dev/sda rw",
    "work": "2 1 8:1 /h/work /h/work rw,nosuid master:1 - ext4 /dev/sda rw",
    "a": "3 2 8:1 /h/work/a /h/work/a rw,nosuid - ext4 /dev/sda rw",
    "git": "4 3 8:1 /h/work/a/.git /h/work/a/.git ro,nosuid - ext4 /dev/sda rw",
    "key": "5 2 0:9 / /h/work/key ro - tmpfs tmpfs rw",
    "env": "6 2 0:6 /null /h/work/.env ro - devtmpfs devtmpfs rw",
}


def listed(**changed: str) -> bytes:
    return "\n".join(line for line in {**LINES, **changed}.values() if line).encode()


def test_what_is_in_its_place_is():
    assert misplaced(ARGUMENTS, listed()) == []


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("a", "3 2 8:1 /h/.ssh /h/work/a rw - ext4 /dev/sda rw"),  # the source was a link
        ("a", "3 2 8:2 /h/work/a /h/work/a rw - ext4 /dev/sdb rw"),
        ("a", "3 2 8:1 /h/work/a /h/.ssh rw - ext4 /dev/sda rw"),  # the destination was a link
        ("git", "4 3 8:1 /h/work/a/.git /h/work/a/.git rw - ext4 /dev/sda rw"),
        ("git", "4 3 8:1 /h/work/a/.git//deleted /h/work/a/.git ro - ext4 /dev/sda rw"),
        ("git", ""),
        ("key", "5 2 8:1 /h/work/key /h/work/key ro - ext4 /dev/sda rw"),
        ("env", ""),
    ],
)
def test_what_is_not_is_named(line, instead):
    assert misplaced(ARGUMENTS, listed(**{line: instead}))


def test_a_file_system_of_the_machine_may_lie_there_already():
    own = "3 2 9:9 / /h/work/a rw - nfs server:/a rw\n7 3 9:9 / /h/work/a rw - nfs server:/a rw"
    git = "4 7 9:9 /.git /h/work/a/.git ro - nfs server:/a rw"
    assert misplaced(ARGUMENTS, listed(a=own, git=git)) == []


def test_what_is_mounted_below_an_empty_folder_is_a_part_of_what_lies_under_that():
    arguments = ["--bind", "/h/work", "/h/work", "--tmpfs", "/h/work/key", *["--bind", *["/h/work/key/own"] * 2]]
    own = "8 5 8:1 /h/work/key/own /h/work/key/own rw - ext4 /dev/sda rw"
    assert misplaced(arguments, listed(env=own)) == []
    assert misplaced(arguments, listed(env=own.replace("/h/work/key/own /", "/h/.ssh /"))) == ["/h/work/key/own"]


def test_what_is_mounted_below_a_folder_from_elsewhere_is_a_part_of_what_lies_under_that():
    arguments = ["--bind", "/h/work", "/h/work", "--bind", "/g/c", "/h/work/c", "--ro-bind", *["/h/work/c/env"] * 2]
    cache = "5 2 8:1 /g/c /h/work/c rw - ext4 /dev/sda rw"
    own = "8 5 8:1 /h/work/c/env /h/work/c/env ro - ext4 /dev/sda rw"
    assert misplaced(arguments, listed(key=cache, env=own)) == []
    assert misplaced(arguments, listed(key=cache, env=own.replace("/h/work/c/env /", "/g/c/env /"))) == [
        "/h/work/c/env"
    ]


def test_names_of_all_kinds():
    strange = "/h/work/a b\nc\\d\u00e9"
    told = "3 2 8:1 /h/work/a\\040b\\012c\\134d\u00e9 /h/work/a\\040b\\012c\\134d\u00e9 ro - ext4 /dev/sda rw"
    arguments = ["--bind", "/h/work", "/h/work", "--ro-bind", strange, strange]
    assert misplaced(arguments, listed(a="", git="", key="", env=told)) == []


def test_this_machines_own_list_is_understood():
    listing = Path("/proc/self/mountinfo").read_bytes()
    assert misplaced(["--bind", "/", "/", "--bind", "/nowhere", "/nowhere"], listing) == ["/nowhere"]
