"""What a stream draws at random for a sample, before anything is computed of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..cortex.patches import decay
from ..errors import MismatchError

if TYPE_CHECKING:
    from ..cortex.parcels import Parcels


@dataclass
class Draw:
    """The random choices behind one sample.

    Attributes
    ----------
    patches : list of array of int
        Parcels of each source, its seed first.
    clips : list of int
        Row of the spike library behind each patch; one for a sample of none.
    half_distances : list of float
        At which each patch falls to half its strength, m.
    source_snr_db : list of float
        Each source against its background.
    snr_db : float
        At the scalp.
    noise : array of shape (n_times, n_channels)
        Of power one in each channel.
    start : int
        First sample of the window.
    moved : array of shape (n_channels, n_channels) | None
        Takes potentials to the displaced electrodes.
    """

    patches: list[NDArray]
    clips: list[int]
    half_distances: list[float]
    source_snr_db: list[float]
    snr_db: float
    noise: NDArray = field(repr=False)
    start: int = 0
    moved: NDArray | None = field(default=None, repr=False)


class KeptCandidates:
    """Patches that a seed parcel may grow to, grown on first use.

    Parameters
    ----------
    cortex : Cortex | Parcels
    grow : callable
        Grows all candidates of a seed, ``grow(cortex, seed_region, rng=...)``.
    key : tuple of int
        Key of the candidates: those of a parcel do not depend on which came before.
    """

    def __init__(
        self, cortex: Parcels, grow: Callable[..., list[NDArray]], key: tuple[int, int]
    ) -> None:
        self.cortex, self.grow, self.key = cortex, grow, key
        self._of_seed: dict[int, list[NDArray]] = {}

    def pick(self, seed_region: int, rng: np.random.Generator) -> NDArray:
        """Return one of the candidates of a seed."""
        if seed_region not in self._of_seed:
            own = np.random.default_rng([*self.key, seed_region])
            self._of_seed[seed_region] = self.grow(self.cortex, seed_region, rng=own)
        candidates = self._of_seed[seed_region]
        return candidates[rng.integers(len(candidates))]


def check_resting(
    resting: NDArray | None, share: float, shape: tuple[int, int]
) -> None:
    """Refuse resting EEG of another shape, or none where a share of it is wanted.

    Parameters
    ----------
    resting : array of shape (n_clips, n_times, n_channels) | None
    share : float
        See ``resting_share`` of :class:`~deepsif_lite.synthesis.SyntheticEEG`.
    shape : tuple of int
        Samples and channels that it is to have.

    Raises
    ------
    MismatchError
    """
    found = None if resting is None else resting.shape[1:]
    if found not in (None, shape) or (share > 0 and found is None):
        msg = (
            f"resting_share={share} needs resting EEG of shape (n_clips, {shape[0]}, "
            f"{shape[1]}); got {None if resting is None else resting.shape}."
        )
        raise MismatchError(msg)


def window_start(
    peak: int, n_times: int, n_times_clip: int, rng: np.random.Generator
) -> int:
    """Draw where a window begins that lies inside a clip and holds its peak."""
    first, last = max(0, peak - n_times + 1), min(peak, n_times_clip - n_times)
    return int(rng.integers(first, last + 1))


def pack(draws: Sequence[Draw], cortex: Parcels) -> tuple[NDArray, ...]:
    """Pad the ragged patches of a batch; padding has strength zero.

    Returns
    -------
    regions : array of int, shape (n_samples, n_sources, n_members)
    strength : array, same shape
    clip : array of int, shape (n_samples, n_sources)
    source_snr_db : array, same shape
    present : array, same shape
        1 where there is a clip; padding has no background either.
    """
    n_sources = max(len(d.clips) for d in draws)
    n_members = max((len(p) for d in draws for p in d.patches), default=1)
    regions = np.zeros((len(draws), n_sources, n_members), dtype=np.int64)
    strength = np.zeros(regions.shape, dtype=np.float32)
    clip = np.zeros(regions.shape[:2], dtype=np.int64)
    source_snr_db = np.zeros(regions.shape[:2], dtype=np.float32)
    present = np.zeros(regions.shape[:2], dtype=np.float32)
    for b, draw in enumerate(draws):
        clip[b, : len(draw.clips)] = draw.clips
        source_snr_db[b, : len(draw.clips)] = draw.source_snr_db
        present[b, : len(draw.clips)] = 1
        for s, patch in enumerate(draw.patches):
            regions[b, s, : len(patch)] = patch
            strength[b, s, : len(patch)] = decay(cortex, patch, draw.half_distances[s])
    return regions, strength, clip, source_snr_db, present
