"""The progress bar of everything that takes long."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tqdm import tqdm

logger = logging.getLogger(__name__)

SECONDS_PER_LINE = 10.0


def progress_bar(show: bool, **options) -> tqdm | ProgressLines:
    """Return a bar (:func:`tqdm.auto.tqdm`) that ``show=False`` silences.

    The environment silences it too: ``TQDM_DISABLE=1``. (tqdm's own bars for
    notebooks look at that too late, when their widget is already on the page.) A
    machine without tqdm logs a line now and then instead.
    """
    show = show and not os.environ.get("TQDM_DISABLE")
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return ProgressLines(show, **options)
    return tqdm(**options, disable=not show)


class ProgressLines:
    """Progress as lines of the log; the part of tqdm's interface that we use.

    Parameters
    ----------
    show : bool
        Log anything at all.
    total, initial : int
        Units of the whole work, and those done before.
    desc, unit : str
        What is done, and in units of what.
    """

    def __init__(
        self, show: bool, *, total: int, initial: int = 0, desc="", unit="it", **_
    ) -> None:
        self.show, self.total, self.initial, self.n = show, total, initial, initial
        self.desc, self.unit, self.note = desc, unit, ""
        self._began = self._told = time.monotonic()

    def update(self, n: int = 1) -> None:
        """Count ``n`` more units, and log a line if the last is long ago."""
        self.n += n
        now = time.monotonic()
        if self.show and now - self._told >= SECONDS_PER_LINE:
            self._told = now
            rate = (self.n - self.initial) / (now - self._began)
            left = (self.total - self.n) / rate / 60
            logger.info(
                f"{self.desc}: {self.n:,} of {self.total:,} {self.unit}s, "
                f"{rate:,.0f} a second, {left:.1f} min left{self.note}"
            )

    def set_postfix(self, **values: str) -> None:
        """Add values to the lines from now on."""
        self.note = "".join(f", {name} {value}" for name, value in values.items())

    def __enter__(self) -> ProgressLines:
        return self

    def __exit__(self, *_) -> None:
        pass
