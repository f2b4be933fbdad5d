"""Run a network over windows, some at a time, on all cores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .batches import one_thread_of_torch, run_batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from ..network.protocol import SourceNetwork

    Image = tuple[Tensor, Tensor | None]

_BATCH = 32  # windows at a time on a GPU; bounds the memory
_PART = 8  # windows at a time of each core; more of them leave its cache


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
    if device == "cpu":
        batches = _on_cores(network, windows)
    else:
        batches = (_image(network, part.to(device)) for part in windows.split(_BATCH))
    activity, probability = _collect(batches, len(windows))
    return activity, probability


def _on_cores(network: SourceNetwork, windows: Tensor) -> Iterator[Image]:
    """Image windows, some at a time on each core.

    Products of a window are so short that to share each among the cores gains little,
    and where other programs use the cores, it takes a hundred times as long.
    """
    import torch

    if len(windows) == 1:
        with one_thread_of_torch():
            image = _image(network, windows)
        yield image
        return
    n_cores = torch.get_num_threads()
    size = min(_PART, -(-len(windows) // n_cores))
    yield from run_batches(
        lambda part: _image(network, windows[part.start : part.stop]),
        len(windows),
        n_cores,
        size=size,
    )


def _image(network: SourceNetwork, windows: Tensor) -> Image:
    import torch

    with torch.inference_mode():
        return network.image(windows)


def _collect(batches: Iterable[Image], n_windows: int) -> list:
    """Gather batches in arrays made once; joining parts would take memory twice."""
    whole: list[NDArray | None] = []
    start = 0
    for batch in batches:
        parts = [None if part is None else part.cpu().numpy() for part in batch]
        if len(batch[0]) == n_windows:
            whole = parts
            continue
        if not whole:
            whole = [None if p is None else _room_for(n_windows, p[0]) for p in parts]
        for array, part in zip(whole, parts, strict=True):
            if array is not None and part is not None:
                array[start : start + len(part)] = part
        start += len(batch[0])
    return whole


def _room_for(n_windows: int, window: NDArray) -> NDArray:
    """Return an array for windows, each in the order in memory that one has.

    To turn them would take as long as to image them.
    """
    turned = window.T.flags.c_contiguous
    shape = window.T.shape if turned else window.shape
    room = np.empty((n_windows, *shape), window.dtype)
    return room.swapaxes(1, -1) if turned else room
