"""Make what is needed next while something else is done."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")


class Prefetch(Generic[T]):
    """Take ``make(first)``, ``make(first + 1)``, ... , each made ahead in a thread.

    Parameters
    ----------
    make : callable
        Called with an index, in their order, one call at a time.
    first, stop : int
        Range of the indices.

    Attributes
    ----------
    waiting_seconds : float
        Spent in :meth:`take` until a result was there.
    """

    def __init__(self, make: Callable[[int], T], first: int, stop: int) -> None:
        self._make, self._next, self._stop = make, first, stop
        self._pool = ThreadPoolExecutor(1)
        self._pending: deque[Future[T]] = deque()
        self.waiting_seconds = 0.0
        self._submit_next()

    def _submit_next(self) -> None:
        if self._next < self._stop:
            self._pending.append(self._pool.submit(self._make, self._next))
            self._next += 1

    def take(self) -> T:
        """Return the next result and start another.

        Raises
        ------
        IndexError
            All of the range has been taken.
        """
        began = time.perf_counter()
        made = self._pending.popleft().result()
        self.waiting_seconds += time.perf_counter() - began
        self._submit_next()
        return made

    def __enter__(self) -> Prefetch[T]:
        return self

    def __exit__(self, *_) -> None:
        self._pool.shutdown(cancel_futures=True)
