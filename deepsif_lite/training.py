"""Train a network on synthetic EEG: seeded, resumable, on CPU or GPU.

Sample ``i`` of a run is sample ``i`` of its stream, so a run that was killed and
resumed sees what an uninterrupted one sees; on the CPU the weights agree to the bit.
"""

from __future__ import annotations

import csv
import ctypes
import json
import logging
import math
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from .head import average_reference, load_head_model
from .network import build_network
from .progress import progress_bar
from .synthesis import SyntheticEEG
from .weights import head_fingerprint, load_weights, save_weights

if TYPE_CHECKING:
    from .head import HeadModel
    from .spike_library import SpikeLibrary
    from .synthesis import Batch

logger = logging.getLogger(__name__)

VALIDATION_OFFSET = 1 << 40  # indices of the stream that training never reaches
CHECKPOINT_SECONDS = 120.0


@dataclass(frozen=True)
class TrainingConfig:
    """What a run depends on, besides its head model and clips.

    Attributes
    ----------
    network : str
        ``"lite"`` or ``"paper"``.
    n_steps : int
        Optimiser steps of the whole run.
    batch_size : int
        Samples a step.
    learning_rate : float
        Peak of the schedule (3e-4 in the paper).
    schedule : str
        ``"cosine"`` (with warm-up) or ``"stepped"``: a tenth after each half, as the
        paper divides by ten every ten of its twenty epochs.
    weight_decay : float
        Of Adam (L2, paper's network) or AdamW (lite).
    n_sources : tuple of int
        Patches in a sample, one of these drawn each time.
    seed : int
        Of weights and stream.
    validation_size : int
        Samples the validation loss is taken on.
    """

    network: str = "lite"
    n_steps: int = 4000
    batch_size: int = 64
    learning_rate: float = 8e-4
    schedule: str = "cosine"
    weight_decay: float = 1e-4
    n_sources: tuple[int, ...] = (1, 2, 3)
    seed: int = 0
    validation_size: int = 256


def train(
    head: HeadModel,
    clips: SpikeLibrary,
    out: str | Path,
    *,
    config: TrainingConfig | None = None,
    initial: str | Path | None = None,
    device: str | None = None,
    max_minutes: float | None = None,
    resume: bool = True,
    progress: bool = True,
) -> Path:
    """Train a network, or go on training one.

    Parameters
    ----------
    head : HeadModel
        The network will image recordings made with this montage.
    clips : SpikeLibrary
        Training clips.
    out : path
        Folder of the run: ``checkpoint.pt``, ``log.csv``, and at each stop
        ``card.json`` with the weights.
    config : TrainingConfig | None
        Sizes and seeds; defaults to those of the ``lite`` network.
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
        The checkpoint in ``out`` was made with another configuration or head model.
    """
    config = config or TrainingConfig()
    _keep_memory()
    run = _Run(head, clips, Path(out), config, initial, device)
    if resume:
        run.restore()
    run.fit(max_minutes, progress)
    return save_weights(run.network, run.out, run.card())


class _Run:
    """One training run: its network, optimiser, stream and log."""

    def __init__(
        self,
        head: HeadModel,
        clips: SpikeLibrary,
        out: Path,
        config: TrainingConfig,
        initial: str | Path | None,
        device: str | None,
    ) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.head, self.clips, self.out, self.config = head, clips, out, config
        self.device = torch.device(
            device or ("cuda" if torch.cuda.is_available() else "cpu")
        )
        torch.manual_seed(config.seed)
        shape = {"n_channels": len(head.ch_names), "n_regions": head.cortex.n_regions}
        self.spec = {"kind": config.network, **shape}
        self.network = build_network(**self.spec)
        if config.network == "lite":
            self.network.set_geometry(head.leadfield, head.cortex.adjacency)
        if initial is not None:
            start_from(self.network, initial, head)
        self.network.to(self.device)
        self.optimizer = _optimizer(self.network, config)
        self.stream = SyntheticEEG(
            head,
            clips,
            n_sources=config.n_sources,
            seed=config.seed,
            device=self.device,
        )
        self.step, self.seconds, self.log = 0, 0.0, []
        self.identity = {
            "config": json.loads(json.dumps(asdict(config))),
            "head": head_fingerprint(head),
            "initial": None if initial is None else str(initial),
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
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.log = state["log"]

    def checkpoint(self) -> None:
        """Write everything a resumed run needs; a kill meanwhile harms nothing."""
        state = {
            "identity": self.identity,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "log": self.log,
        }
        torch.save(state, self.out / "checkpoint.tmp")
        (self.out / "checkpoint.tmp").replace(self.out / "checkpoint.pt")
        with (self.out / "log.csv").open("w", newline="", encoding="utf-8") as file:
            if self.log:
                writer = csv.DictWriter(file, self.log[0])
                writer.writeheader()
                writer.writerows(self.log)

    def fit(self, max_minutes: float | None, progress: bool) -> None:

        config = self.config
        deadline = math.inf if max_minutes is None else 60 * max_minutes
        log_every = max(1, config.n_steps // 200)
        began = saved = time.monotonic()
        before, totals = self.seconds, []
        bar = progress_bar(
            progress,
            total=config.n_steps * config.batch_size,
            initial=self.step * config.batch_size,
            unit="sample",
            unit_scale=True,
            desc=f"training {config.network}",
        )
        with bar, ThreadPoolExecutor(1) as maker:
            # While one batch is learnt from, the next is made beside it.
            upcoming = maker.submit(self._batch, self.step)
            while self.step < config.n_steps:
                batch = upcoming.result()
                upcoming = maker.submit(self._batch, self.step + 1)
                totals.append(self._advance(batch))
                bar.update(config.batch_size)
                now = time.monotonic()
                self.seconds = before + now - began
                if self.step % log_every == 0 or self.step == config.n_steps:
                    self._log(float(np.mean(totals)))
                    bar.set_postfix(loss=f"{np.mean(totals):.3f}")
                    totals = []
                if now - saved > CHECKPOINT_SECONDS:
                    self.checkpoint()
                    saved = now
                if now - began > deadline:
                    break
        self.checkpoint()

    def _batch(self, step: int) -> Batch:
        first = step * self.config.batch_size
        return self.stream.batch(range(first, first + self.config.batch_size))

    def _advance(self, batch: Batch) -> float:
        config = self.config
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate * schedule(
                config.schedule, self.step, config.n_steps
            )
        with self._precision():
            loss = self.network.loss(batch)["total"]
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        return float(loss.detach())

    def _precision(self):
        """Bfloat16 on a GPU; the CPU trains in float32, which it resumes exactly."""
        if self.device.type != "cuda":
            return nullcontext()
        return torch.autocast("cuda", dtype=torch.bfloat16)

    def _log(self, training_loss: float) -> None:
        self.log.append(
            {
                "step": self.step,
                "samples": self.step * self.config.batch_size,
                "seconds": round(self.seconds, 1),
                "training_loss": training_loss,
                "validation_loss": self.validate(),
            }
        )

    @cached_property
    def _validation(self) -> Batch:
        last = VALIDATION_OFFSET + self.config.validation_size
        return self.stream.batch(range(VALIDATION_OFFSET, last))

    @torch.no_grad()
    def validate(self) -> float:
        """Loss on samples that training never sees."""
        with self._precision():
            return float(self.network.loss(self._validation)["total"])

    def card(self) -> dict:
        return {
            "network": self.spec,
            "ch_names": list(self.head.ch_names),
            "sfreq": float(self.clips.sfreq),
            "n_times": int(self.clips.waveforms.shape[1]),
            "reference": "average",
            "head": self.head.name,
            "head_hash": self.identity["head"],
            "training": {
                **self.identity["config"],
                "initial": self.identity["initial"],
                "steps_done": self.step,
                "samples": self.step * self.config.batch_size,
                "seconds": round(self.seconds),
                "device": self.device.type,
                "torch": torch.__version__,
            },
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


def start_from(network: torch.nn.Module, initial: str | Path, head: HeadModel) -> None:
    """Copy a trained network's weights, translating its montage if it differs.

    The two leadfields show the same sources to both montages; ridge regression
    between them turns one montage's scalp map into the other's, and the first layer
    absorbs it. The scan keeps the geometry of the network's own head model.

    Raises
    ------
    ValueError
        The networks differ in more than their channels.
    """
    trained, card = load_weights(initial)
    state = trained.state_dict()
    if list(card["ch_names"]) != list(head.ch_names):
        if card["network"]["kind"] != "lite":
            msg = f"initial={str(initial)!r} has other channels; only lite translates."
            raise ValueError(msg)
        first = state["embed.0.weight"]
        translation = torch.as_tensor(_translate(head, card["head"]), dtype=first.dtype)
        maps = first[:, :-1] @ translation
        state["embed.0.weight"] = torch.cat([maps, first[:, -1:]], 1)
        state["scan"] = network.state_dict()["scan"]
    network.load_state_dict(state)


def _translate(head: HeadModel, other: str) -> np.ndarray:
    """Return the matrix that turns this head's scalp maps into the other's."""
    ours = average_reference(head.leadfield)
    theirs = average_reference(load_head_model(other).leadfield)
    gram = ours @ ours.T
    ridge = 1e-3 * np.trace(gram) / len(gram) * np.eye(len(gram))
    return np.linalg.solve(gram + ridge, ours @ theirs.T).T
