"""The kernel's end of the control channel: whose it is, and what becomes of it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading

import pytest

from jupyter_qguard.kernel.channel import Channel, NoAnswerError, NoChannelError, take_channel, the_channel


@pytest.fixture
def pair():
    gateway, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with gateway:
        yield gateway, kernel


def test_the_variable_is_gone_after_it_was_read_and_programs_do_not_inherit_the_channel(pair):
    _, kernel = pair
    kernel.set_inheritable(True)
    number = kernel.detach()
    environ = {"QGUARD_CONTROL": f"{number}:netns", "HOME": "/"}
    channel, tier = take_channel(environ)
    assert (tier, environ) == ("netns", {"HOME": "/"})
    code = f"import os; print(os.path.exists('/proc/self/fd/{number}'))"
    done = subprocess.run([sys.executable, "-c", code], close_fds=False, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    channel.close()


@pytest.mark.parametrize("text", ["", "x", "-1:netns", "999999:netns", "9" * 40, "1 2", ":netns"])
def test_without_a_good_number_there_is_no_channel(text):
    assert take_channel({"QGUARD_CONTROL": text})[0] is None
    assert take_channel({})[0] is None


def test_another_descriptor_under_that_number_is_left_alone(tmp_path):
    """A program between guard and kernel closed ours, and the kernel has opened something of its own."""
    with (tmp_path / "mine").open("w") as file, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
        for number in (file.fileno(), stream.fileno()):
            assert take_channel({"QGUARD_CONTROL": f"{number}:netns"})[0] is None
            os.fstat(number)


def test_a_forked_child_has_no_channel_and_the_kernel_keeps_its_own(pair):
    gateway, kernel = pair
    channel = Channel(kernel)
    child = os.fork()
    if child == 0:
        try:
            channel.ask("status", patience=5)
        except NoAnswerError as error:
            os._exit(0 if "child process" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    channel.say("hello")
    assert b"hello" in gateway.recv(1 << 16)
    channel.close()


def test_a_gateway_that_is_gone_or_silent_is_said_to_be_so(pair):
    gateway, kernel = pair
    channel = Channel(kernel)
    with pytest.raises(NoAnswerError, match="does not answer"):
        channel.ask("status", patience=0.05)
    gateway.close()
    with pytest.raises(NoAnswerError, match="is gone"):
        channel.ask("status")
    channel.close()


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one(pair):
    gateway, kernel = pair
    channel = Channel(kernel)
    with pytest.raises(NoAnswerError):
        channel.ask("status", patience=0.05)
    gateway.recv(1 << 16)

    def answer():
        gateway.recv(1 << 16)
        for packet in (b'{"v":1,"id":1,"answer":{"late":true}}', b"no JSON", b'{"v":1,"event":"refused"}'):
            gateway.send(packet)
        gateway.send(b'{"v":1,"id":2,"answer":{"late":false}}')

    thread = threading.Thread(target=answer)
    thread.start()
    assert channel.ask("status") == {"late": False}
    assert channel.was_refused(), "an event between request and answer"
    thread.join()
    channel.close()


def test_where_there_is_none_the_person_reads_why():
    with pytest.raises(NoChannelError, match="not guarded"):
        the_channel()
