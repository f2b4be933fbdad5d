"""Several processes that train one network, as torchrun starts them.

Each takes its share of every batch. The losses of the processes add up to that of the
whole batch, because networks ask :func:`sum_over_processes` for what they divide by.
"""

from __future__ import annotations

import atexit
import os
from dataclasses import dataclass

import torch
from torch import distributed

from ..errors import OptionError
from ..runs import pick_device


@dataclass(frozen=True)
class Processes:
    """Which of how many processes this is.

    Attributes
    ----------
    rank : int
        From 0; only rank 0 writes.
    size : int
        Number of processes.
    device : torch.device
        Where this one computes.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.rank == 0

    def share(self, first: int, stop: int) -> range:
        """Return this process's samples of those from ``first`` to ``stop``."""
        return range(first + self.rank, stop, self.size)

    def check_batch_size(self, batch_size: int) -> None:
        """Refuse batches that leave a process without a sample.

        Raises
        ------
        OptionError
        """
        if batch_size < self.size:
            msg = (
                f"batch_size={batch_size} is shared by {self.size} processes; give "
                "each at least one sample."
            )
            raise OptionError(msg)

    def flag_of_any(self, flag: bool) -> bool:
        """Return whether the flag is up in any process, in every process."""
        if self.size == 1:
            return flag
        own = torch.tensor(float(flag), device=self.device)
        return bool(sum_over_processes(own))

    def wait(self) -> None:
        """Return when every process has called this."""
        if self.size > 1:
            distributed.barrier()


def join_processes(device: str | None = None) -> Processes:
    """Join the processes that torchrun started, or be the only one.

    They stay joined until the program ends, for they cannot join twice.

    Parameters
    ----------
    device : str | None
        ``"cpu"``, ``"cuda"``; None takes CUDA when there is one. Each process of a
        machine takes a GPU of its own.

    Returns
    -------
    processes : Processes

    Raises
    ------
    OptionError
        There is no such device.
    """
    device = pick_device(device)
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Processes(0, 1, torch.device(device))
    if device == "cuda":
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    if not distributed.is_initialized():
        distributed.init_process_group("gloo" if device == "cpu" else "nccl")
        atexit.register(distributed.destroy_process_group)
    return Processes(distributed.get_rank(), size, torch.device(device))


def sum_over_processes(value: torch.Tensor) -> torch.Tensor:
    """Add up a tensor over all processes; alone, return it as it is.

    The sum carries no gradient: use it for what does not depend on the weights.
    """
    if not (distributed.is_available() and distributed.is_initialized()):
        return value
    total = value.detach().clone()
    distributed.all_reduce(total)
    return total
