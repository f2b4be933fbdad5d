"""The files of a build: what a group of simulations leaves, and a library made of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..artifacts import read_arrays, write_arrays
from ..errors import ArtifactError, DeepSIFError
from .detection import CLIP_SAMPLES, SFREQ, ClipCutter
from .packing import N_COEFS, STEP, pack_levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..neural_mass.connectome import Connectome


@dataclass(frozen=True)
class Job:
    """One simulation."""

    region: int
    gain: float
    setting: tuple[float, float]
    attempt: int


def is_whole(path: Path) -> bool:
    """Return whether a part is there and is what was written."""
    try:
        read_arrays(path)
    except (FileNotFoundError, ArtifactError):
        return False
    return True


def pack_clips(jobs: list[Job], cutters: list[ClipCutter]) -> dict[str, NDArray]:
    """Bring the clips of a group of simulations into the arrays of a file."""
    clips = [list(cutter.clips()) for cutter in cutters]
    counts = [
        (cutter.n_spikes, len(own)) for cutter, own in zip(cutters, clips, strict=True)
    ]
    found = [(job, clip) for job, own in zip(jobs, clips, strict=True) for clip in own]
    waves = [clip.activity[:, job.region] for job, clip in found]
    packed = [pack_levels(clip.activity) for _, clip in found]
    spans = [clip.spans for _, clip in found]
    peaks = [
        clip.peaks[np.argmax(wave[clip.peaks])]
        for wave, (_, clip) in zip(waves, found, strict=True)
    ]
    return {
        "counts": np.array(counts, dtype=np.int64),
        "waveforms": np.array(waves, np.float32).reshape(-1, CLIP_SAMPLES),
        "seeds": np.array([job.region for job, _ in found], dtype=np.int64),
        "peaks": np.array(peaks, dtype=np.int64),
        "means": np.array([clip.mean for _, clip in found], dtype=float),
        "gains": np.array([job.gain for job, _ in found], dtype=float),
        "settings": np.array([job.setting for job, _ in found], float).reshape(-1, 2),
        "spans": np.concatenate([*spans, np.empty((0, 2), np.int64)]),
        "n_spans": np.array([len(s) for s in spans], dtype=np.int64),
        "packed": np.concatenate([*packed, np.empty(0, np.uint8)]),
        "n_packed": np.array([len(p) for p in packed], dtype=np.int64),
    }


def join_parts(
    files: list[Path], path: Path, connectome: Connectome, n_clips: int | None
) -> NDArray:
    """Join the parts in the order given, keep the first clips; return their seeds."""
    stored = [read_arrays(file) for file in files]
    joined = {
        key: np.concatenate([part[key] for part in stored])
        for key in stored[0]
        if key != "counts"
    }
    ends = {
        "span_ends": np.cumsum(joined.pop("n_spans"))[:n_clips],
        "packed_ends": np.cumsum(joined.pop("n_packed"))[:n_clips],
    }
    if not len(joined["seeds"]):
        msg = f"no clip in {len(files)} groups of simulations; simulate more regions."
        raise DeepSIFError(msg)
    blobs = {
        "spans": joined.pop("spans")[: ends["span_ends"][-1]],
        "packed": joined.pop("packed")[: ends["packed_ends"][-1]],
    }
    arrays = {
        **{key: value[:n_clips] for key, value in joined.items()},
        **ends,
        **blobs,
        "shape": np.array([connectome.n_regions, N_COEFS]),
        "step": np.array(STEP),
        "sfreq": np.array(SFREQ),
        "cortex": np.array(connectome.cortex),
    }
    write_arrays(path, arrays, compress=False)
    return joined["seeds"][:n_clips]
