"""Progress bars for work that takes over two seconds, and a line for what cannot be counted; silent otherwise and where
nobody looks. Whoever runs work of others may hear of their steps instead.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_T = TypeVar("_T")
_PATIENCE = 2.0  # seconds before a bar appears

Heard = Callable[[str, int, int | None], None]
"""Called with what is being done, how many steps of it are done, and of how many (None: unknown)."""

_listening: ContextVar[Heard | None] = ContextVar("listening", default=None)


@contextmanager
def heard(by: Heard) -> Iterator[None]:
    """No bars inside the block: `by` is called after each step instead, whether or not a bar would be shown."""
    before = _listening.set(by)
    try:
        yield
    finally:
        _listening.reset(before)


@contextmanager
def waiting(doing: str) -> Iterator[None]:
    """A line on standard error while the block lasts, and within it the steps of what would show bars.

    Args:
        doing: What is being done, in words ("reading the run").
    """
    if _listening.get() is not None or not sys.stderr.isatty():
        yield
        return
    with Console(stderr=True).status(escape(doing)) as line:

        def step(what: str, done: int, steps: int | None) -> None:
            of = "" if steps is None else f" of {steps:,}"
            line.update(escape(f"{doing}: {what} {done:,}{of}"))

        with heard(step):
            yield


def track(
    work: Iterable[_T], description: str, *, total: int | None = None, show: bool = True
) -> Iterator[_T]:
    """Iterate over `work`, with a bar on standard error once it has taken two seconds.

    Args:
        work: Anything to iterate over.
        description: What is being done, in words ("scoring users").
        total: Number of steps, where `work` has no length.
        show: False for no bar at all.
    """
    steps = total if total is not None else (len(work) if isinstance(work, Sized) else None)
    if (listening := _listening.get()) is not None:
        for done, item in enumerate(work, start=1):
            yield item
            listening(description, done, steps)
        return
    if not show or not sys.stderr.isatty():
        yield from work
        return
    started, bar, task = time.monotonic(), None, None
    try:
        for done, item in enumerate(work, start=1):
            yield item
            if bar is None and time.monotonic() - started > _PATIENCE:
                bar = Progress(
                    TextColumn("{task.description}"),
                    BarColumn(),
                    TextColumn("{task.completed}/{task.total}"),
                    TimeElapsedColumn(),
                    TimeRemainingColumn(),
                    console=Console(stderr=True),
                    transient=True,
                )
                task = bar.add_task(description, total=steps)
                bar.start()
            if bar is not None and task is not None:
                bar.update(task, completed=done)
    finally:
        if bar is not None:
            bar.stop()
