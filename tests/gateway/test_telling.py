"""What the person at the notebook is told of refusals."""

from __future__ import annotations

from jupyter_qguard.gateway.control import Refused
from jupyter_qguard.gateway.telling import Telling


def refused(host):
    return Refused(kernel="k", host=host, port=443, reason="not on the allowlist")


def test_the_same_is_said_once_in_ten_seconds_and_others_at_most_five_a_second():
    said, now = [], [0.0]
    telling = Telling(lambda each: said.append(each) or True, lambda: now[0])
    for _ in range(3):
        telling.tell(refused("a.test"))
    assert said == [refused("a.test")]
    now[0] = 9.9
    telling.tell(refused("a.test"))
    assert len(said) == 1
    now[0] = 10.0
    telling.tell(refused("a.test"))
    assert len(said) == 2
    for number in range(20):
        telling.tell(refused(f"h{number}.test"))
    assert len(said) == 6


def test_what_could_not_be_handed_over_is_said_the_next_time():
    said, takes = [], [False]
    telling = Telling(lambda each: takes[0] and (said.append(each) or True), lambda: 0.0)
    telling.tell(refused("a.test"))
    takes[0] = True
    telling.tell(refused("a.test"))
    assert said == [refused("a.test")]
