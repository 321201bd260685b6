"""The mark of a cleared write: there while it is written, in its own context, for its own path."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from jupyter_qguard.server.passage import Passage, going_on, passage_of, passing


def test_it_is_there_while_the_write_goes_on() -> None:
    passage = Passage("a/n.ipynb", "content", None)
    assert passage_of("a/n.ipynb") is None
    with passing(passage):
        assert passage_of("/a/n.ipynb/") is passage
        assert passage_of("n.ipynb") is None
    assert passage_of("a/n.ipynb") is None


def test_the_innermost_of_a_path_counts() -> None:
    outer, other, inner = Passage("n", 1, None), Passage("m", 2, None), Passage("n", 3, None)
    with passing(outer), passing(other):
        assert passage_of("n") is outer
        with passing(inner):
            assert passage_of("n") is inner
            assert passage_of("m") is other
        assert passage_of("n") is outer


def test_another_thread_or_task_has_no_part_in_it() -> None:
    async def write(path: str, started: asyncio.Event, other: asyncio.Event) -> None:
        with passing(Passage(path, None, None)):
            started.set()
            await other.wait()
            assert passage_of("a" if path == "b" else "b") is None
            assert passage_of(path) is not None

    async def both() -> None:
        first, second = asyncio.Event(), asyncio.Event()
        await asyncio.gather(write("a", first, second), write("b", second, first))

    asyncio.run(both())
    with passing(Passage("a", None, None)), ThreadPoolExecutor(1) as threads:
        assert threads.submit(passage_of, "a").result() is None


def test_a_task_that_a_write_started_has_no_part_in_it_when_it_is_over() -> None:
    async def write() -> object:
        over = asyncio.Event()

        async def later() -> object:
            assert passage_of("n") is not None
            await over.wait()
            return passage_of("n") or going_on()

        with passing(Passage("n", None, None)):
            task = asyncio.ensure_future(later())
            await asyncio.sleep(0)
        over.set()
        return await task

    assert asyncio.run(write()) == ()
