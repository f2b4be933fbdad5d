"""A library of one-second clips: what networks are trained on.

A clip is a spike of one region over the background activity of all. The seed's time
course is stored exactly. The background is smooth, so what is kept of it are its
lowest cosine coefficients in whole steps, which compresses a hundredfold.
"""

from __future__ import annotations

import lzma
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ..cortex.parcels import Parcels, matching_parcels
from ..paths import data_dir
from .detection import rescale_spikes

#: Cosines kept, from 0 to 79.5 Hz in steps of 0.5 Hz.
N_COEFS = 160
#: Size of one level (mV, orthonormal cosines). Leaves an error of 0.09 mV (root mean
#: square) in a background that varies by 0.3 to 0.6 mV.
STEP = 0.6
# Levels are rounded down from 0.6 rather than 0.5: fewer ones, little more error.
_ROUND_UP_AT = 0.6

_LZMA = [{"id": lzma.FILTER_LZMA2, "preset": 6, "lc": 0, "lp": 0, "pb": 0}]


@dataclass(frozen=True, eq=False)
class SpikeLibrary:
    """Clips of simulated activity, each with one spiking region.

    Attributes
    ----------
    waveforms : array of shape (n_clips, n_times)
        y1 - y2 of the seed region, as simulated (mV).
    seeds : array of int, shape (n_clips,)
        Region whose gain was raised.
    peaks : array of int, shape (n_clips,)
        Sample of the largest accepted spike.
    spans : list of array of int, shape (n_spikes, 2)
        Start and stop of every accepted spike of a clip.
    means : array of shape (n_clips,)
        Mean of the seed's time course over its whole simulation (mV).
    gains : array of shape (n_clips,)
        Excitatory gain of the seed (mV).
    settings : array of shape (n_clips, 2)
        Mean input (1/ms) and its deviation (in the paper's unit).
    levels : array of int16, shape (n_clips, n_regions, n_coefs)
        Cosine coefficients of the background, in units of ``step``.
    step : float
        mV.
    sfreq : float
        Hz.
    connectome : str
        Name of the network that was simulated.
    """

    waveforms: NDArray[np.float32]
    seeds: NDArray[np.int64]
    peaks: NDArray[np.int64]
    spans: list[NDArray[np.int64]]
    means: NDArray[np.float64]
    gains: NDArray[np.float64]
    settings: NDArray[np.float64]
    levels: NDArray[np.int16]
    step: float
    sfreq: float
    connectome: str

    def __len__(self) -> int:
        return len(self.waveforms)

    @property
    def n_regions(self) -> int:
        """Number of regions of the background."""
        return self.levels.shape[1]

    @property
    def n_times(self) -> int:
        """Samples in a clip."""
        return self.waveforms.shape[1]

    @cached_property
    def basis(self) -> NDArray[np.float32]:
        """Orthonormal cosines (DCT-II), shape (n_times, n_coefs)."""
        n_coefs = self.levels.shape[2]
        pulses = np.eye(n_coefs, self.n_times)
        return fft.idct(pulses, axis=1, norm="ortho").T.astype(np.float32)

    def background(self, i: int) -> NDArray[np.float32]:
        """Return the activity of all regions in a clip, shape (n_times, n_regions), mV.

        The seed's column is there as well, to the accuracy of the others;
        ``waveforms[i]`` holds it exactly.
        """
        return (self.basis @ self.levels[i].T.astype(np.float32)) * self.step

    def project(self, leadfield: NDArray) -> NDArray[np.float32]:
        """Return the scalp potentials of every background.

        Parameters
        ----------
        leadfield : array of shape (n_channels, n_regions)
            Any unit.

        Returns
        -------
        eeg : array of shape (n_clips, n_times, n_channels)
            ``background(i) @ leadfield.T``, computed on the coefficients.

        Raises
        ------
        ValueError
            The leadfield belongs to another number of regions.
        """
        if leadfield.shape[-1] != self.n_regions:
            msg = (
                f"leadfield has {leadfield.shape[-1]} regions, the clips have "
                f"{self.n_regions}: use the head model of the same cortex."
            )
            raise ValueError(msg)
        gain = (leadfield.T * self.step).astype(np.float32)
        return np.stack(
            [self.basis @ (own.T.astype(np.float32) @ gain) for own in self.levels]
        )

    def carried_over(self, source: Parcels, target: Parcels) -> SpikeLibrary:
        """Return the clips on another parcellation of the same surface.

        Each parcel takes the background of the parcel it shares most vertices with.
        Where that one spiked, the background is silent: a clip lends its waveform to
        patches, and must not spike on beside them.

        Parameters
        ----------
        source, target : Parcels
            Cortex of the clips, and the one wanted.

        Raises
        ------
        ValueError
            The clips are not on ``source``, or the cortices do not cover each other.
        """
        if (self.connectome, self.n_regions) != (source.name, source.n_regions):
            msg = (
                f"source={source.name!r} has {source.n_regions} regions; the clips are "
                f"on {self.connectome!r} with {self.n_regions}."
            )
            raise ValueError(msg)
        origin = matching_parcels(target, source)
        levels = self.levels[:, origin]
        levels[self.seeds[:, None] == origin] = 0
        return replace(
            self,
            seeds=matching_parcels(source, target)[self.seeds],
            levels=levels,
            connectome=target.name,
        )

    def rescaled(self, i: int, alpha: float) -> NDArray:
        """Return a seed's time course with its spikes scaled, shape (n_times,), mV."""
        return rescale_spikes(self.waveforms[i], self.spans[i], self.means[i], alpha)


def load_spike_library(name: str | Path = "lite", split: str = "train") -> SpikeLibrary:
    """Load a library of clips.

    Parameters
    ----------
    name : str | Path
        A shipped library ("lite"), or the folder and stem of one of your own, such
        as ``"my/folder/paper"``.
    split : "train" | "test"
        Clips of disjoint simulations.

    Returns
    -------
    library : SpikeLibrary

    Raises
    ------
    ValueError
        ``split`` is neither.
    FileNotFoundError
        There is no such library.
    """
    if split not in ("train", "test"):
        msg = f"split must be 'train' or 'test', got {split!r}."
        raise ValueError(msg)
    path = library_path(data_dir() / "spikes" / name, split)
    if not path.is_file():
        msg = (
            f"No spike library {name!r} at {path}; make one with "
            f"`deepsif-lite simulate --profile {Path(name).name}`."
        )
        raise FileNotFoundError(msg)
    with np.load(path) as stored:
        fields = {key: stored[key] for key in stored.files}
    shape = tuple(fields.pop("shape"))
    blobs = np.split(fields.pop("packed"), fields.pop("packed_ends")[:-1])
    with ThreadPoolExecutor() as pool:
        levels = list(pool.map(lambda blob: unpack_levels(blob, shape), blobs))
    return SpikeLibrary(
        levels=np.stack(levels),
        spans=np.split(fields.pop("spans"), fields.pop("span_ends")[:-1]),
        step=float(fields.pop("step")),
        sfreq=float(fields.pop("sfreq")),
        connectome=str(fields.pop("connectome")),
        **fields,
    )


def library_path(stem: Path, split: str) -> Path:
    """Return the file of one split of a library."""
    return stem.with_name(f"{stem.name}-{split}.npz")


def pack_levels(activity: NDArray) -> NDArray[np.uint8]:
    """Compress a background of shape (n_times, n_regions), mV, into bytes.

    Raises
    ------
    ValueError
        The activity is larger than a level can express.
    """
    coefs = fft.dct(activity.astype(float), axis=0, norm="ortho")[:N_COEFS] / STEP
    levels = np.sign(coefs) * np.floor(np.abs(coefs) + 1 - _ROUND_UP_AT)
    if np.abs(levels).max() > np.iinfo(np.int16).max // 2:
        msg = (
            f"activity reaches {np.abs(activity).max():.0f} mV, which no simulation "
            "does after its burn-in; leave the first 0.5 s out."
        )
        raise ValueError(msg)
    # Small magnitudes of either sign become small codes: 0, -1, 1, -2, ...
    codes = np.where(levels >= 0, 2 * levels, -2 * levels - 1).astype("<u2")
    planes = codes.reshape(-1, 1).view(np.uint8).T
    packed = lzma.compress(planes.tobytes(), format=lzma.FORMAT_RAW, filters=_LZMA)
    return np.frombuffer(packed, dtype=np.uint8)


def unpack_levels(packed: NDArray[np.uint8], shape: Sequence[int]) -> NDArray[np.int16]:
    """Undo :func:`pack_levels` to levels of shape (n_regions, n_coefs)."""
    n_regions, n_coefs = shape
    raw = lzma.decompress(packed.tobytes(), format=lzma.FORMAT_RAW, filters=_LZMA)
    planes = np.frombuffer(raw, dtype=np.uint8).reshape(2, n_coefs, n_regions)
    codes = planes[0].astype(np.int16) | (planes[1].astype(np.int16) << 8)
    levels = (codes >> 1) ^ -(codes & 1)
    return np.ascontiguousarray(levels.T)
