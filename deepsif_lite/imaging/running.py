"""Run a network over windows, a batch at a time, on no more cores than pay."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from threadpoolctl import ThreadpoolController
    from torch import Tensor

    from ..network.protocol import SourceNetwork

_BATCH = 32  # windows at a time; bounds the memory


def run_network(
    network: SourceNetwork, windows: Tensor, device: str
) -> tuple[NDArray, NDArray | None]:
    """Image windows.

    Parameters
    ----------
    network : SourceNetwork
    windows : Tensor of shape (n_windows, n_times, n_channels)
        Normalized EEG.
    device : str
        Where the network is.

    Returns
    -------
    activity : array of shape (n_windows, n_times, n_regions)
    probability : array of shape (n_windows, n_regions) | None
    """
    import torch

    alone = len(windows) == 1
    with torch.inference_mode(), _one_thread() if alone else nullcontext():
        batches = (network.image(part.to(device)) for part in windows.split(_BATCH))
        activity, probability = _collect(batches, len(windows))
    return activity, probability


def _one_thread() -> AbstractContextManager:
    """Keep a single window, which is 10 ms of work, off the other cores.

    Threads that wait for each other take a hundred times as long as the work where
    other programs use the cores.
    """
    return _thread_pools().limit(limits=1)


@lru_cache(maxsize=1)
def _thread_pools() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()  # of the libraries loaded so far, torch included


def _collect(batches: Iterable[tuple[Tensor, Tensor | None]], n_windows: int) -> list:
    """Gather batches in arrays made once; joining parts would take memory twice."""
    whole: list[NDArray | None] = []
    start = 0
    for batch in batches:
        parts = [None if part is None else part.cpu().numpy() for part in batch]
        if len(batch[0]) == n_windows:
            return parts
        if not whole:
            whole = [
                None if p is None else np.empty((n_windows, *p.shape[1:]), p.dtype)
                for p in parts
            ]
        for array, part in zip(whole, parts, strict=True):
            if array is not None and part is not None:
                array[start : start + len(part)] = part
        start += len(batch[0])
    return whole
