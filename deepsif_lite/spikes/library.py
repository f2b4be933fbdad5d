"""A library of one-second clips: what networks are trained on.

A clip is a spike of one region over the background activity of all. The seed's time
course is stored exactly, the background as rounded cosine coefficients.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ..artifacts import artifact_path, read_arrays
from ..cortex.parcels import Parcels, matching_parcels
from ..errors import ArtifactMissing, MismatchError, OptionError, check_option
from .detection import rescale_spikes
from .packing import unpack_levels

SPLITS = ("train", "test")


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
        Mean of the seed's time course over its whole simulation, of which the clip is a
        part (mV). Spikes are scaled about it.
    gains : array of shape (n_clips,)
        Excitatory gain of the seed (mV).
    settings : array of shape (n_clips, 2)
        Input of the simulation, one of :data:`~deepsif_lite.spikes.SETTINGS`: its mean
        (1/ms) and the standard deviation of its noise (in the paper's unit).
    levels : array of int16, shape (n_clips, n_regions, n_coefs)
        Cosine coefficients of the background, in units of ``step``.
    step : float
        mV.
    sfreq : float
        Hz.
    cortex : str
        Name of the parcellation that the regions are of.
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
    cortex: str

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
        MismatchError
            The leadfield belongs to another number of regions.
        """
        if leadfield.shape[-1] != self.n_regions:
            msg = (
                f"leadfield has {leadfield.shape[-1]} regions, the clips have "
                f"{self.n_regions}: use the head model of the same cortex."
            )
            raise MismatchError(msg)
        gain = (leadfield.T * self.step).astype(np.float32)
        return np.stack(
            [self.basis @ (own.T.astype(np.float32) @ gain) for own in self.levels]
        )

    def transferred(self, source: Parcels, target: Parcels) -> SpikeLibrary:
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
        MismatchError
            The clips are not on ``source``, or the cortices do not cover each other.
        """
        if (self.cortex, self.n_regions) != (source.name, source.n_regions):
            msg = (
                f"source={source.name!r} has {source.n_regions} regions; the clips are "
                f"on {self.cortex!r} with {self.n_regions}."
            )
            raise MismatchError(msg)
        origin = matching_parcels(target, source)
        levels = self.levels[:, origin]
        levels[self.seeds[:, None] == origin] = 0
        return replace(
            self,
            seeds=matching_parcels(source, target)[self.seeds],
            levels=levels,
            cortex=target.name,
        )

    def rescaled(self, i: int, alpha: float) -> NDArray:
        """Return a seed's time course with its spikes scaled, shape (n_times,), mV."""
        return rescale_spikes(self.waveforms[i], self.spans[i], self.means[i], alpha)


def load_spike_library(
    name: str | Path = "lite", split: str = "train", cortex: Parcels | None = None
) -> SpikeLibrary:
    """Load a library of clips.

    Parameters
    ----------
    name : str | Path
        A shipped library ("lite"), or the folder and stem of one of your own, such
        as ``"my/folder/paper"``.
    split : {"train", "test"}
        Clips of disjoint simulations.
    cortex : Parcels | None
        Parcellation to have the clips on, such as ``head.cortex``; where theirs is
        another, they are :meth:`~SpikeLibrary.transferred`. None keeps theirs.

    Returns
    -------
    library : SpikeLibrary

    Raises
    ------
    OptionError
        ``split`` is neither.
    ArtifactMissing
        There is no such library.
    ArtifactError
        The file is damaged.
    MismatchError
        The clips are on a parcellation of your own, so nobody knows where they lie.

    Examples
    --------
    >>> import deepsif_lite as dl
    >>> clips = dl.load_spike_library("lite", split="test")
    >>> clips.waveforms.shape[1]  # one second at 500 Hz
    500
    """
    check_option("split", split, SPLITS)
    library = _read(name, split)
    if cortex is None or library.cortex == cortex.name:
        return library
    return library.transferred(_cortex_of(library), cortex)


def _read(name: str | Path, split: str) -> SpikeLibrary:
    shipped = library_path(artifact_path("spikes") / name, split)
    path = shipped if shipped.is_file() else library_path(Path(name), split)
    restore = f"deepsif-lite simulate --profile {Path(name).name}"
    if name == "lite":
        restore = "deepsif-lite build spikes"
    if not path.is_file():
        msg = f"No spike library {str(name)!r} at {path}; make one with `{restore}`."
        raise ArtifactMissing(msg)
    fields = read_arrays(path, restore=restore, hash_needed=name == "lite")
    shape = tuple(fields.pop("shape"))
    blobs = np.split(fields.pop("packed"), fields.pop("packed_ends")[:-1])
    with ThreadPoolExecutor() as pool:
        levels = list(pool.map(lambda blob: unpack_levels(blob, shape), blobs))
    if "connectome" in fields:  # its name until libraries told the two apart
        fields["cortex"] = fields.pop("connectome")
    return SpikeLibrary(
        levels=np.stack(levels),
        spans=np.split(fields.pop("spans"), fields.pop("span_ends")[:-1]),
        step=float(fields.pop("step")),
        sfreq=float(fields.pop("sfreq")),
        cortex=str(fields.pop("cortex")),
        **fields,
    )


def _cortex_of(library: SpikeLibrary) -> Parcels:
    from ..cortex.surface import load_cortex

    if library.cortex == "published":
        return load_cortex("published")
    if library.cortex == f"template-{library.n_regions}":
        return load_cortex(library.n_regions)
    msg = (
        f"the clips are on {library.cortex!r}, which is not shipped; transfer them with "
        "SpikeLibrary.transferred, or use a head model of that cortex."
    )
    raise MismatchError(msg)


def library_path(stem: Path, split: str) -> Path:
    """Return the file of one split of a library."""
    return stem.with_name(f"{stem.name}-{split}.npz")


def check_unfinished(stem: Path, parts: Iterable[Path]) -> None:
    """Refuse to build where a library is, unless that build goes on.

    Parameters
    ----------
    stem : path
        Folder and start of the library's files.
    parts : iterable of path
        Folders of what the same build made before it was stopped, if they are there.

    Raises
    ------
    OptionError
        Names the file that would be replaced.
    """
    there = [p for p in (library_path(stem, split) for split in SPLITS) if p.exists()]
    if there and not any(folder.exists() for folder in parts):
        msg = (
            f"out={str(stem.parent)!r} holds a library already ({there[0].name}), maybe "
            "of another seed; choose another folder, or move it away."
        )
        raise OptionError(msg)
