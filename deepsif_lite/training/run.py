"""Train a network on synthetic EEG: seeded, resumable, on CPU or GPU.

Sample ``i`` of a run is sample ``i`` of its stream, so a run that was killed and
resumed sees what an uninterrupted one sees; on the CPU the weights agree to the bit.

The file reads from top to bottom: what a run is made of, and its loop. One step is in
:mod:`~deepsif_lite.training.learner`, what is measured in
:mod:`~deepsif_lite.training.monitor`, what a stopped run goes on from in
:mod:`~deepsif_lite.training.checkpoint`, the result in
:mod:`~deepsif_lite.training.export`.
"""

from __future__ import annotations

import ctypes
import json
import math
import time
import zlib
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from numpy.typing import NDArray

from ..errors import MismatchError
from ..head.artifact_sources import load_artifact_sources
from ..head.training_caps import load_cap_sampler
from ..network.build import build_network
from ..network.cards import cortex_fingerprint, head_fingerprint, load_card
from ..network.transfer import start_from
from ..network.weights import check_safetensors, load_weights
from ..runs import hold_stops, only_run_in, progress_bar
from ..synthesis.stream import SyntheticEEG
from ..synthesis.varied import VariedEEG
from .checkpoint import Checkpoint
from .config import TrainingConfig
from .export import describe, export
from .learner import Learner
from .loading import batches_ahead
from .monitor import Monitor
from .processes import join_processes

if TYPE_CHECKING:
    from ..head.model import HeadModel
    from ..head.training_head import TrainingHead
    from ..network.protocol import SourceNetwork
    from ..spikes.library import SpikeLibrary
    from ..synthesis.variety import Variety

CHECKPOINT_SECONDS = 120.0
_AGREE_EVERY = 10  # steps between the times several processes agree whether to stop


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

    Your own random numbers are left as they are. One setting is changed for the whole
    process: on Linux the C library keeps freed memory instead of handing it back to
    the system (``mallopt``), which makes training on a CPU four times faster.

    Parameters
    ----------
    head : HeadModel | TrainingHead
        The network will image recordings made with this montage.
    clips : SpikeLibrary
        Training clips.
    out : path
        Folder of the run: ``checkpoint.pt``, ``log.csv``, and at each stop
        ``card.json`` with the weights that scored best (F-measure of precision and
        recall), or the last ones if these are better on more samples. Folder ``last``
        inside holds the last ones in any case.
    config : TrainingConfig | None
        Sizes and seeds; by default those of :class:`TrainingConfig`.
    resting : array of shape (n_clips, n_times, n_channels) | None
        Resting EEG of the head's electrodes, any unit, for ``config.resting_share`` or
        that of ``config.variety``, which brings it under every cap; see
        :func:`deepsif_lite.recordings.resting_clips`.
    initial : str | path | None
        Start from this network (of any montage, see
        :func:`deepsif_lite.network.start_from`) instead of random weights.
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
    FolderInUse
        Another process is training in ``out``.
    KeyboardInterrupt
        The run was stopped, after it had finished its step and saved its checkpoint.
    MismatchError
        The checkpoint in ``out`` was made with another configuration or head model,
        or head, clips and ``initial`` do not belong together, or the head is of
        magnetometers and the network the paper's, or for any cap.
    ArtifactError
        The checkpoint in ``out`` is damaged.
    OptionError
        The loss is not finite any more, or there are more processes than samples in
        a batch.
    ImportError
        safetensors, which weights are written with, is not installed.
    """
    config, out = config or TrainingConfig(), Path(out)
    check_safetensors()
    _keep_freed_memory()
    processes = join_processes(device)
    processes.check_batch_size(config.batch_size)
    spec = {
        "kind": config.network,
        "n_channels": len(head.ch_names),
        "n_regions": head.cortex.n_regions,
        **config.options,
    }
    if head.modality != "eeg":
        _check_modality(config, head)
        spec["modality"] = head.modality
    if initial is not None:  # scalp maps are shown to it as on its own montage
        spec["n_channels"] = load_card(initial)["network"]["n_channels"]
    identity = _identity(config, head, initial, resting)
    validation = stream = _stream(config, head, clips, resting)
    if config.variety is not None:
        stream = _varied_stream(config, config.variety, head, clips, resting)
    learner = Learner(_new_network(spec, config, head, initial), config, processes)
    monitor = Monitor(learner, validation, config, processes)
    checkpoint = Checkpoint(out, identity, learner, monitor, processes)
    seconds = math.inf if max_minutes is None else 60 * max_minutes
    with only_run_in(out) if processes.is_first else nullcontext():
        if resume:
            checkpoint.restore()
        with hold_stops() as stops, _bar(config, checkpoint, progress) as bar:
            _take_steps(config, stream, checkpoint, seconds, stops, bar)
        if processes.is_first:
            card = describe(
                spec, head, validation, learner, monitor, processes, identity
            )
            if config.variety is not None:
                card["cortex_hash"] = cortex_fingerprint(head.cortex)
            export(out, learner, monitor, card)
        processes.wait()
    return out


def _check_modality(config: TrainingConfig, head: HeadModel | TrainingHead) -> None:
    """Refuse what is known of EEG alone."""
    if config.network != "lite" or config.variety is not None:
        msg = (
            f"head={head.name!r} has no electrodes: train network='lite' without "
            "variety on it."
        )
        raise MismatchError(msg)


def _stream(
    config: TrainingConfig,
    head: HeadModel | TrainingHead,
    clips: SpikeLibrary,
    resting: NDArray | None,
) -> SyntheticEEG:
    """Return the stream of the head's own cap, which validation takes samples from."""
    varied = config.variety
    share = config.resting_share if varied is None else varied.resting_share
    return SyntheticEEG(
        head,
        clips,
        n_sources=config.n_sources,
        n_times=config.n_times,
        resting=resting,
        resting_share=share,
        electrode_jitter=config.electrode_jitter,
        seed=config.seed,
    )


def _varied_stream(
    config: TrainingConfig,
    variety: Variety,
    head: HeadModel | TrainingHead,
    clips: SpikeLibrary,
    resting: NDArray | None,
) -> VariedEEG:
    """Return the stream that a network for any cap learns from."""
    return VariedEEG(
        head,
        clips,
        load_cap_sampler(),
        load_artifact_sources(),
        variety=variety,
        block_size=config.batch_size,
        resting=resting,
        n_sources=config.n_sources,
        source_snr=variety.source_snr,
        seed=config.seed,
    )


def _new_network(
    spec: dict,
    config: TrainingConfig,
    head: HeadModel | TrainingHead,
    initial: str | Path | None,
) -> SourceNetwork:
    """Build the network; the user's own random numbers stay as they are."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(config.seed)
        network = build_network(**spec)
        if initial is not None:
            trained, card = load_weights(initial)
            start_from(network, trained, card, head)
        network.set_geometry(head.leadfield, head.cortex)
    return network


def _identity(
    config: TrainingConfig,
    head: HeadModel | TrainingHead,
    initial: str | Path | None,
    resting: NDArray | None,
) -> dict:
    """Return what a run depends on, as JSON knows it."""
    return {
        "config": json.loads(json.dumps(asdict(config))),
        "head": head_fingerprint(head),
        "initial": None if initial is None else str(initial),
        "resting": None if resting is None else zlib.crc32(resting.tobytes()),
    }


def _bar(config: TrainingConfig, checkpoint: Checkpoint, show: bool):
    """Return the progress bar of a run, which begins where the run does."""
    return progress_bar(
        show and checkpoint.processes.is_first,
        total=config.n_steps * config.batch_size,
        initial=checkpoint.learner.step * config.batch_size,
        unit="sample",
        unit_scale=True,
        desc=f"training {config.network}",
    )


def _take_steps(
    config: TrainingConfig,
    stream: SyntheticEEG,
    checkpoint: Checkpoint,
    max_seconds: float,
    stops: list[int],
    bar,
) -> None:
    """Take the steps that are left, or those until time is up or a stop is asked for.

    A checkpoint is there from the start, and after the last step taken.
    """
    learner, monitor = checkpoint.learner, checkpoint.monitor
    processes = checkpoint.processes
    if learner.step == 0:
        checkpoint.save()

    agree_every = 1 if processes.size == 1 else _AGREE_EVERY
    began = saved = time.monotonic()
    seconds, waiting_seconds = monitor.seconds, monitor.waiting_seconds
    # While one batch is learned from, the next is made beside it.
    ahead = batches_ahead(stream, learner.network, config, processes, learner.step)
    with ahead as batches:
        while learner.step < config.n_steps:
            loss = learner.learn(batches.take())
            now = time.monotonic()
            monitor.seconds = seconds + now - began
            monitor.waiting_seconds = waiting_seconds + batches.waiting_seconds
            monitor.add(loss)
            bar.update(config.batch_size)
            if monitor.log:
                bar.set_postfix(loss=f"{monitor.log[-1]['training_loss']:.3f}")
            if now - saved > CHECKPOINT_SECONDS:
                checkpoint.save()
                saved = now
            # A process that stops alone would leave the others waiting for it.
            is_over = now - began > max_seconds or len(stops) > 0
            if learner.step % agree_every == 0 and processes.flag_of_any(is_over):
                break
    checkpoint.save()


def _keep_freed_memory() -> None:
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
