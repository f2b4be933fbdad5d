"""The batches of a run, made ahead: in a thread, or for a GPU in processes beside it.

A batch is hundreds of small steps, for which a GPU is no quicker than a core, and a
network on a GPU learns faster than one core draws. So there, workers make batches on
the CPU, and a thread brings them over.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch.utils.data import DataLoader, Dataset

from ..network.protocol import identity
from .prefetch import Prefetch

if TYPE_CHECKING:
    from ..network.protocol import SourceNetwork
    from ..synthesis.samples import Batch
    from ..synthesis.stream import SyntheticEEG
    from .config import TrainingConfig
    from .processes import Processes

_SPARE_CORES = 2  # for the process that learns, and the thread that reads ahead
_NICENESS = 5


def batches_ahead(
    stream: SyntheticEEG,
    network: SourceNetwork,
    config: TrainingConfig,
    processes: Processes,
    first: int,
) -> Prefetch[Batch]:
    """Make the batches of a run from a step on, one ahead of what is learned from.

    Parameters
    ----------
    stream : SyntheticEEG
        On the CPU.
    network : SourceNetwork
        It is told of the next batch's electrodes beforehand.
    config : TrainingConfig
    processes : Processes
        Each takes its share of a batch.
    first : int
        The step to begin with.

    Returns
    -------
    Prefetch
        A context, which ends thread and workers.
    """
    steps = _Steps(stream, config.batch_size, processes)
    if processes.device.type == "cpu":
        return Prefetch(steps.__getitem__, first, config.n_steps)
    made = _from_workers(steps, range(first, config.n_steps))

    def make(_step: int) -> Batch:
        batch = next(made).to(processes.device)
        network.prepare_leadfield(batch.leadfield)
        return batch

    return Prefetch(make, first, config.n_steps)


def _from_workers(steps: _Steps, which: range) -> Iterator[Batch]:
    n_workers = max(1, (os.cpu_count() or 1) - _SPARE_CORES)
    return iter(
        DataLoader(
            steps,
            batch_size=None,
            sampler=which,
            num_workers=n_workers,
            collate_fn=identity,
            pin_memory=torch.cuda.is_available(),
            worker_init_fn=_give_way,
        )
    )


def _give_way(_worker: int) -> None:
    """Let the process that learns come first where there are too few cores."""
    if hasattr(os, "nice"):  # not on Windows
        os.nice(_NICENESS)


class _Steps(Dataset):
    """The batch of each step, this process's share of it."""

    def __init__(self, stream: SyntheticEEG, size: int, processes: Processes) -> None:
        self._stream, self._size, self._share = stream, size, processes.share

    def __getitem__(self, step: int) -> Batch:
        first = step * self._size
        return self._stream.batch(self._share(first, first + self._size))
