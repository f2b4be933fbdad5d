"""Train a network on synthetic EEG: seeded, resumable, on CPU or GPU.

Sample ``i`` of a run is sample ``i`` of its stream, so a run that was killed and
resumed sees what an uninterrupted one sees; on the CPU the weights agree to the bit.
"""

from __future__ import annotations

import copy
import csv
import ctypes
import json
import logging
import math
import time
import zlib
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from ..network.build import build_network
from ..network.transfer import start_from
from ..network.weights import check_safetensors, head_fingerprint, save_weights
from ..progress import progress_bar
from ..synthesis.stream import SyntheticEEG
from .config import PRECISIONS, TrainingConfig
from .prefetch import Prefetch
from .processes import Processes, join_processes, sum_over_processes
from .validation import SCORES, ScoreSet

if TYPE_CHECKING:
    from ..head.model import HeadModel
    from ..head.training_head import TrainingHead
    from ..spikes.library import SpikeLibrary
    from ..synthesis.stream import Batch

logger = logging.getLogger(__name__)

VALIDATION_OFFSET = 1 << 40  # indices of the stream that training never reaches
CHECKPOINT_SECONDS = 120.0
MAX_LOGS = 200  # points of a run's log; validation loss must stay cheap
LOG_EVERY = 10  # steps between them at least
MAX_SCORINGS = 40  # times a run is scored; one costs as much as some ten steps
N_FINAL = 4  # times as many samples decide between the best and the last weights
GPU_THREADS = 4  # that make batches for a GPU
AGREE_EVERY = 10  # steps between the times several processes ask whether to stop


def train(
    head: HeadModel | TrainingHead,
    clips: SpikeLibrary,
    out: str | Path,
    *,
    config: TrainingConfig | None = None,
    resting: NDArray | None = None,
    initial: str | Path | None = None,
    device: str | None = None,
    max_minutes: float | None = None,
    resume: bool = True,
    progress: bool = True,
) -> Path:
    """Train a network, or go on training one.

    Started by torchrun, several processes share each batch, so that the result is
    that of one process (to rounding). They need the folder ``out`` in common.

    Parameters
    ----------
    head : HeadModel | TrainingHead
        The network will image recordings made with this montage.
    clips : SpikeLibrary
        Training clips.
    out : path
        Folder of the run: ``checkpoint.pt``, ``log.csv``, and at each stop
        ``card.json`` with the weights that scored best (see
        :mod:`deepsif_lite.training`), or the last ones if these are better on more
        samples. Folder ``last`` inside holds the last ones in any case.
    config : TrainingConfig | None
        Sizes and seeds; defaults to those of the ``lite`` network.
    resting : array of shape (n_clips, n_times, n_channels), optional
        Resting EEG, any unit, for ``config.resting_share``; see
        :func:`deepsif_lite.recordings.resting_clips`.
    initial : str | path | None
        Start from this network (another montage will do: its first layer is
        translated through the two leadfields) instead of random weights.
    device : str | None
        ``"cpu"``, ``"cuda"``; ``None`` takes CUDA when there is one.
    max_minutes : float | None
        Stop after this long; call again to go on.
    resume : bool
        Go on from the checkpoint in ``out`` when there is one.
    progress : bool
        Show a progress bar with samples a second and time left.

    Returns
    -------
    out : Path
        Load it with ``deepsif_lite.load_model(out)``.

    Raises
    ------
    ValueError
        The checkpoint in ``out`` was made with another configuration or head model,
        the loss is not finite any more, or ``config`` holds an unknown choice.
    ImportError
        safetensors, which weights are written with, is not installed.
    """
    config = config or TrainingConfig()
    check_safetensors()
    _keep_memory()
    processes = join_processes(device)
    run = _Run(head, clips, Path(out), config, resting, initial, processes)
    if resume:
        run.restore()
    run.fit(max_minutes, progress and processes.is_first)
    if processes.is_first:
        run.export()
    processes.wait()
    return Path(out)


class _Loss(torch.nn.Module):
    """A network's loss as a module of its own, which is what DDP can watch."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Batch) -> torch.Tensor:
        return self.network.loss(batch)["total"]


class _Run:
    """One training run: its network, optimizer, stream and log."""

    def __init__(
        self,
        head: HeadModel | TrainingHead,
        clips: SpikeLibrary,
        out: Path,
        config: TrainingConfig,
        resting: NDArray | None,
        initial: str | Path | None,
        processes: Processes,
    ) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.head, self.clips, self.out, self.config = head, clips, out, config
        self.processes, self.device = processes, processes.device
        self.precision = _precision(config.precision, self.device)
        if config.batch_size < processes.size:
            msg = (
                f"batch_size={config.batch_size} is shared by {processes.size} "
                "processes; give each at least one sample."
            )
            raise ValueError(msg)
        torch.manual_seed(config.seed)
        shape = {"n_channels": len(head.ch_names), "n_regions": head.cortex.n_regions}
        self.spec = {"kind": config.network, **shape, **config.options}
        self.network = build_network(**self.spec)
        self.network.set_geometry(head.leadfield, head.cortex)
        if initial is not None:
            start_from(self.network, initial, head)
        self.network.to(self.device)
        # What is validated and exported.
        self.averaged = (
            copy.deepcopy(self.network) if config.ema_decay else self.network
        )
        self.optimizer = _optimizer(self.network, config)
        self.scaler = torch.amp.GradScaler(
            self.device.type, enabled=self.precision == torch.float16
        )
        self.loss = _Loss(self.network)
        if processes.size > 1:
            # No buffer changes in training, so none is sent around at each step.
            self.loss = torch.nn.parallel.DistributedDataParallel(
                self.loss, broadcast_buffers=False
            )
        self.stream = SyntheticEEG(
            head,
            clips,
            n_sources=config.n_sources,
            n_times=config.n_times,
            resting=resting,
            resting_share=config.resting_share,
            electrode_jitter=config.electrode_jitter,
            seed=config.seed,
            device=self.device,
        )
        self.step, self.seconds, self.waited = 0, 0.0, 0.0
        self.log, self.losses, self.best = [], [], None
        self.identity = {
            "config": json.loads(json.dumps(asdict(config))),
            "head": head_fingerprint(head),
            "initial": None if initial is None else str(initial),
            "resting": None if resting is None else zlib.crc32(resting.tobytes()),
        }

    def restore(self) -> None:
        path = self.out / "checkpoint.pt"
        if not path.is_file():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        if state["identity"] != self.identity:
            msg = (
                f"out={str(self.out)!r} holds a run made with {state['identity']}, "
                f"not {self.identity}; choose another folder or resume=False."
            )
            raise ValueError(msg)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        for name in ("step", "seconds", "waited", "log", "losses", "best"):
            setattr(self, name, state[name])

    def checkpoint(self) -> None:
        """Write everything a resumed run needs; a kill meanwhile harms nothing."""
        if not self.processes.is_first:
            return
        state = {
            "identity": self.identity,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "waited": self.waited,
            "log": self.log,
            "losses": [float(loss) for loss in self.losses],
            "best": self.best,
        }
        torch.save(state, self.out / "checkpoint.tmp")
        (self.out / "checkpoint.tmp").replace(self.out / "checkpoint.pt")
        with (self.out / "log.csv").open("w", newline="", encoding="utf-8") as file:
            if self.log:
                writer = csv.DictWriter(file, self.log[0])
                writer.writeheader()
                writer.writerows(self.log)

    def fit(self, max_minutes: float | None, progress: bool) -> None:
        """Take the steps that are left, or those that fit into the time."""
        config = self.config
        deadline = math.inf if max_minutes is None else 60 * max_minutes
        began = saved = time.monotonic()
        seconds, waited = self.seconds, self.waited
        bar = progress_bar(
            progress,
            total=config.n_steps * config.batch_size,
            initial=self.step * config.batch_size,
            unit="sample",
            unit_scale=True,
            desc=f"training {config.network}",
        )
        # While one batch is learned from, the next is made beside it. A GPU learns
        # faster than one thread draws.
        n_ahead = 1 if self.device.type == "cpu" else GPU_THREADS
        ahead = Prefetch(self._batch, self.step, config.n_steps, n_ahead)
        with bar, ahead:
            while self.step < config.n_steps:
                self.losses.append(self._advance(ahead.take()))
                bar.update(config.batch_size)
                now = time.monotonic()
                self.seconds = seconds + now - began
                self.waited = waited + ahead.waited
                if self._is_due(max(LOG_EVERY, config.n_steps // MAX_LOGS)):
                    self._log()
                    bar.set_postfix(loss=f"{self.log[-1]['training_loss']:.3f}")
                if now - saved > CHECKPOINT_SECONDS:
                    self.checkpoint()
                    saved = now
                if self._should_stop(now - began > deadline):
                    break
        self.checkpoint()

    def _should_stop(self, is_late: bool) -> bool:
        # A process that stops alone would leave the others waiting for it.
        every = 1 if self.processes.size == 1 else AGREE_EVERY
        return self.step % every == 0 and self.processes.as_first_says(is_late)

    def _is_due(self, every: int) -> bool:
        return self.step % every == 0 or self.step == self.config.n_steps

    def _batch(self, step: int) -> Batch:
        first = step * self.config.batch_size
        share = self.processes.share(first, first + self.config.batch_size)
        return self.stream.batch(share)

    def _advance(self, batch: Batch) -> torch.Tensor:
        """Take one step; return its loss, left on the device."""
        config = self.config
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate * schedule(
                config.schedule, self.step, config.n_steps
            )
        with self._autocast():
            loss = self.loss(batch)
        self.optimizer.zero_grad(set_to_none=True)
        # DDP averages gradients over processes, but their losses add up.
        self.scaler.scale(loss * self.processes.size).backward()
        self.scaler.unscale_(self.optimizer)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.step += 1
        if config.ema_decay:
            self._average()
        return sum_over_processes(loss.detach())

    @torch.no_grad()
    def _average(self) -> None:
        # Early on, a long average would remember little but the random start.
        decay = min(self.config.ema_decay, self.step / (self.step + 9))
        pairs = zip(self.averaged.parameters(), self.network.parameters(), strict=True)
        for average, current in pairs:
            average.lerp_(current, 1 - decay)

    def _autocast(self) -> AbstractContextManager:
        if self.precision == torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.precision)

    def _log(self) -> None:
        training_loss = float(np.mean([float(loss) for loss in self.losses]))
        if not math.isfinite(training_loss):
            msg = (
                f"learning_rate={self.config.learning_rate}: the loss is not finite "
                f"at step {self.step}; lower it and start anew (resume=False)."
            )
            raise ValueError(msg)
        self.losses = []
        row = {
            "step": self.step,
            "samples": self.step * self.config.batch_size,
            "seconds": self.seconds,
            "waited": self.waited,  # for data, of these seconds
            "training_loss": training_loss,
            "validation_loss": self.validate(),
        }
        last = self.log[-1]["step"] if self.log else 0
        every = max(self.config.score_every, self.config.n_steps // MAX_SCORINGS)
        # At the first log point after each multiple, for not all are multiples.
        due = self.step // every > last // every or self.step == self.config.n_steps
        scored = due and self.processes.is_first
        self.log.append(row | (self._keep_best() if scored else dict.fromkeys(SCORES)))

    def _keep_best(self) -> dict[str, float]:
        """Score the weights, and remember them if none were better."""
        scores = self.score()
        least = self.best["scores"]["f_measure"] if self.best else 0.0
        if scores["f_measure"] >= least:  # of two alike, the later has learned longer
            state = copy.deepcopy(self.averaged.state_dict())
            self.best = {"step": self.step, "scores": scores, "network": state}
        return scores

    @cached_property
    def _validation(self) -> Batch:
        last = VALIDATION_OFFSET + self.config.validation_size
        return self.stream.batch(self.processes.share(VALIDATION_OFFSET, last))

    @torch.no_grad()
    def validate(self) -> float:
        """Loss on samples that training never sees."""
        batch = self._validation  # made in full precision, like all data
        with self._autocast():
            loss = self.averaged.loss(batch)["total"]
        return float(sum_over_processes(loss))

    @cached_property
    def _score_set(self) -> ScoreSet:
        last = VALIDATION_OFFSET + self.config.score_size
        return ScoreSet(self.stream, range(VALIDATION_OFFSET, last))

    @cached_property
    def _final_set(self) -> ScoreSet:
        """Samples that neither loss nor scores were taken on while training."""
        size = self.config.score_size
        first = VALIDATION_OFFSET + max(size, self.config.validation_size)
        return ScoreSet(self.stream, range(first, first + N_FINAL * size))

    def score(self) -> dict[str, float]:
        """Return the paper's metrics on samples that training never sees."""
        return self._score_set.scores(self.averaged, self._autocast())

    def export(self) -> Path:
        """Write the last weights and, above them, the better of best and last.

        Of many scores on one small set the best is so by luck as well. So the best
        weights meet the last ones again, on other samples and more of them.
        """
        best = self.best
        if best is None or best["step"] == self.step:
            scores = best["scores"] if best else self.score()
            card = self.card("last", self.step, len(self._score_set), scores)
            save_weights(self.averaged, self.out / "last", card)
            return save_weights(self.averaged, self.out, card)
        network = copy.deepcopy(self.averaged)
        network.load_state_dict(best["network"])
        ends = {"last": (self.step, self.averaged), "best": (best["step"], network)}
        cards, arena = {}, self._final_set
        for name, (step, network) in ends.items():
            scores = arena.scores(network, self._autocast())
            cards[name] = self.card(name, step, len(arena), scores)
        save_weights(self.averaged, self.out / "last", cards["last"])
        winner = max(cards, key=lambda k: cards[k]["validation"]["f_measure"])
        return save_weights(ends[winner][1], self.out, cards[winner])

    def card(
        self, exported: str, step: int, n_scored: int, scores: dict[str, float]
    ) -> dict:
        """Describe the weights of one step and how they came about."""
        return {
            "network": self.spec,
            "ch_names": list(self.head.ch_names),
            "sfreq": float(self.clips.sfreq),
            "n_times": self.stream.n_times,
            "reference": "average",
            "head": self.head.name,
            "head_hash": self.identity["head"],
            "training": {
                **self.identity["config"],
                "initial": self.identity["initial"],
                "steps_done": self.step,
                "samples": self.step * self.config.batch_size,
                "seconds": round(self.seconds),
                "waiting_for_data": round(self.waited / max(self.seconds, 1e-9), 4),
                "device": self.device.type,
                "arithmetic": str(self.precision).removeprefix("torch."),
                "processes": self.processes.size,
                "torch": torch.__version__,
            },
            "exported": {"weights": exported, "step": step},
            "validation": {"samples": n_scored, **scores},
        }


def schedule(kind: str, step: int, n_steps: int) -> float:
    """Return the learning rate at a step as a fraction of its peak.

    Raises
    ------
    ValueError
        ``kind`` is neither ``"cosine"`` nor ``"stepped"``.
    """
    if kind == "stepped":
        return 0.1 ** (2 * step // max(n_steps, 1))
    if kind != "cosine":
        msg = f"schedule={kind!r} must be 'cosine' or 'stepped'."
        raise ValueError(msg)
    warm_up = min(200, n_steps // 20 + 1)
    if step < warm_up:
        return (step + 1) / warm_up
    done = (step - warm_up) / max(n_steps - warm_up, 1)
    return 0.5 * (1 + math.cos(math.pi * done))


def _precision(name: str, device: torch.device) -> torch.dtype:
    if name not in PRECISIONS:
        msg = f"precision={name!r} is unknown; choose one of {', '.join(PRECISIONS)}."
        raise ValueError(msg)
    if name != "auto":
        return getattr(torch, name)
    if device.type != "cuda":
        return torch.float32
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if native else torch.float16


def _keep_memory() -> None:
    """Ask the C library to keep freed memory for the next step.

    By default glibc hands large blocks back to the kernel, which clears every page
    anew at each step: measured, that made CPU training four times slower. Other C
    libraries are left alone.
    """
    trim_threshold, mmap_max = -1, -4  # M_TRIM_THRESHOLD, M_MMAP_MAX of malloc.h
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(mmap_max, 0)
    mallopt(trim_threshold, 2**31 - 1)


def _optimizer(network: torch.nn.Module, config: TrainingConfig):
    # The paper's decay is L2 inside Adam; AdamW decouples it, which suits lite.
    kind = torch.optim.Adam if config.network == "paper" else torch.optim.AdamW
    return kind(
        network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
