"""How much memory the processes below this one take."""

from __future__ import annotations

import threading

import psutil

_EVERY = 0.2  # s
_GB = 1e9


class PeakMemory:
    """Watches, while it is entered, the memory that all child processes hold together.

    A chapter's kernel and its workers are such children. Pages that they share are
    counted for each of them, so this is an upper limit.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self.done = threading.Event()

    @property
    def gb(self) -> float:
        """The most so far."""
        return self.bytes / _GB

    def _watch(self) -> None:
        here = psutil.Process()
        while not self.done.wait(_EVERY):
            held = 0
            for child in here.children(recursive=True):
                try:
                    held += child.memory_info().rss
                except psutil.Error:  # it has just ended
                    continue
            self.bytes = max(self.bytes, held)

    def __enter__(self) -> PeakMemory:
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()
