"""What follows from arrays, kept for the last few: caps return with every recording."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Value]):
    """Values by the content of arrays, which somebody may change in place.

    To compare an array with a copy takes a tenth of the time of a hash of it.

    Parameters
    ----------
    most : int
        Values that are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: list[tuple[object, tuple[NDArray, ...], Value]] = []

    def get(
        self, make: Callable[[], Value], *arrays: NDArray, of: object = None
    ) -> Value:
        """Return the value for some arrays.

        Parameters
        ----------
        make : callable
            Computes the value where it is not there.
        *arrays : array
        of : object | None
            What else it belongs to, this very object.
        """
        for entry in self._kept:
            owner, known, _ = entry
            if owner is of and _are_equal(known, arrays):
                break
        else:
            entry = of, tuple(array.copy() for array in arrays), make()
        # A new list, so that threads in between find whole entries.
        others = [each for each in self._kept if each is not entry]
        self._kept = [*others, entry][-self._most :]
        return entry[-1]


def _are_equal(first: tuple[NDArray, ...], second: tuple[NDArray, ...]) -> bool:
    return len(first) == len(second) and all(map(np.array_equal, first, second))


def keep_recent(
    kept: MutableMapping[Key, Value], key: Key, value: Value, most: int
) -> None:
    """Keep the most recently used."""
    kept[key] = value
    while len(kept) > most:
        kept.pop(next(iter(kept)))
