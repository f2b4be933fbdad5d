"""A network that learns: one step of the optimizer, and what such a step changes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel

from .config import TrainingConfig
from .processes import Processes, sum_over_processes

if TYPE_CHECKING:
    from ..network.protocol import SourceNetwork
    from ..synthesis.samples import Batch

_MAX_GRADIENT_NORM = 1.0
_WARM_UP_STEPS = 200  # of the learning rate at most, and a twentieth of the run
# Early on, a long average would remember little but the random start: after k steps
# it keeps k / (k + 9) of itself at most, half after nine.
_AVERAGE_WARM_UP = 9


class Learner:
    """Network, optimizer, schedule, gradient scale and average of one run.

    Parameters
    ----------
    network : SourceNetwork
        It learns in place, where the processes compute.
    config : TrainingConfig
    processes : Processes

    Attributes
    ----------
    network : SourceNetwork
        With the weights of the last step.
    exported : SourceNetwork
        What is validated and exported: with weights averaged over the steps, or
        ``network`` itself where ``config.ema_decay`` is 0.
    precision : torch.dtype
        Of the arithmetic.
    """

    def __init__(
        self, network: SourceNetwork, config: TrainingConfig, processes: Processes
    ) -> None:
        self.network = network.to(processes.device)
        self._config, self._processes = config, processes
        self.precision = _precision(config, processes.device)
        self._loss = _Loss(self.network)
        if processes.size > 1:
            # No buffer changes in training, so none is sent around at each step.
            self._loss = torch.nn.parallel.DistributedDataParallel(
                self._loss, broadcast_buffers=False
            )
        self._optimizer = _optimizer(self.network, config)
        self._schedule = LambdaLR(
            self._optimizer,
            lambda step: schedule_factor(config.schedule, step, config.n_steps),
        )
        self._scaler = torch.amp.GradScaler(
            processes.device.type, enabled=self.precision == torch.float16
        )
        self._average = None
        if config.ema_decay:
            self._average = AveragedModel(
                self.network, multi_avg_fn=_moving_average(config.ema_decay)
            )
            # What is known of the head is not learned, and is one for both.
            self.exported.share_geometry(self.network)
            # The random start is the first that is averaged.
            self._average.update_parameters(self.network)

    @property
    def exported(self) -> SourceNetwork:
        """What is validated and exported."""
        return self.network if self._average is None else self._average.module

    @property
    def step(self) -> int:
        """Steps taken."""
        return self._schedule.last_epoch

    def autocast(self) -> AbstractContextManager:
        """Return the context that computes in the run's precision."""
        if self.precision == torch.float32:
            return nullcontext()
        return torch.autocast(self._processes.device.type, dtype=self.precision)

    def learn(self, batch: Batch) -> Tensor:
        """Take one step; return the loss of the whole batch, left on the device."""
        with self.autocast():
            loss = self._loss(batch)
        self._optimizer.zero_grad(set_to_none=True)
        # DDP averages gradients over processes, but their losses add up.
        self._scaler.scale(loss * self._processes.size).backward()
        self._scaler.unscale_(self._optimizer)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _MAX_GRADIENT_NORM)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        with warnings.catch_warnings():
            # Steps are skipped, on purpose, until float16 has found its scale.
            warnings.filterwarnings("ignore", "Detected call of `lr_scheduler.step")
            self._schedule.step()
        if self._average is not None:
            self._average.update_parameters(self.network)
        return sum_over_processes(loss.detach())

    def _parts(self) -> dict:
        parts = {
            "network": self.network,
            "optimizer": self._optimizer,
            "schedule": self._schedule,
            "scaler": self._scaler,
        }
        return parts if self._average is None else parts | {"average": self._average}

    def state_dict(self) -> dict:
        """Return all that later steps depend on."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state_dict(self, state: dict) -> None:
        """Go on from what :meth:`state_dict` returned."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])


class _Loss(torch.nn.Module):
    """A network's loss as a module of its own, which is what DDP can watch."""

    def __init__(self, network: SourceNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Batch) -> Tensor:
        return self.network.loss(batch, total=sum_over_processes)["total"]


def schedule_factor(kind: str, step: int, n_steps: int) -> float:
    """Return the learning rate at a step as a fraction of its peak.

    Parameters
    ----------
    kind : {"cosine", "stepped", "constant"}
        With warm-up, down to zero; a tenth after each half of the run; or the peak
        all along.
    step : int
        From 0.
    n_steps : int
        Of the whole run.
    """
    if kind == "constant":
        return 1.0
    if kind == "stepped":
        return 0.1 ** (2 * step // n_steps)
    warm_up = min(_WARM_UP_STEPS, n_steps // 20 + 1)
    if step < warm_up:
        return (step + 1) / warm_up
    done = (step - warm_up) / max(n_steps - warm_up, 1)
    return 0.5 * (1 + math.cos(math.pi * done))


def _moving_average(decay: float) -> Callable[..., None]:
    """Return the update of an exponential moving average of weights."""

    def update(
        averages: Sequence[Tensor], weights: Sequence[Tensor], n_averaged: Tensor
    ) -> None:
        # A tensor all along: a GPU need not be waited for.
        n_averaged = n_averaged.double()
        kept = (n_averaged / (n_averaged + _AVERAGE_WARM_UP)).clamp_max(decay)
        for average, current in zip(averages, weights, strict=True):
            average.lerp_(current, (1 - kept).to(average.dtype))

    return update


def _precision(config: TrainingConfig, device: torch.device) -> torch.dtype:
    if config.precision != "auto":
        return getattr(torch, config.precision)
    # On an H200 the paper's network in bfloat16 lost its finite loss after some 200
    # steps, in three runs of three; torch's LSTMs use TF32 there, which is quick too.
    if device.type != "cuda" or config.network == "paper":
        return torch.float32
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if native else torch.float16


def _optimizer(network: SourceNetwork, config: TrainingConfig) -> torch.optim.Optimizer:
    # The paper's decay is L2 inside Adam; AdamW decouples it, which suits lite.
    kind = torch.optim.Adam if config.network == "paper" else torch.optim.AdamW
    return kind(
        network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
