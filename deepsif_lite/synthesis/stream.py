"""Synthetic EEG: spike clips + patches + head model -> scalp EEG and its sources.

One sample holds one to three patches. Each patch takes its time course and its
background from one simulated clip; all are scaled, projected to the scalp, covered
with noise and normalized (Sun et al. 2022, Methods, "Simulating Synthetic Dataset").

Here it is chosen what a sample holds; :mod:`~deepsif_lite.synthesis.mixing` computes
it. No (n_times, n_regions) array is made unless a sample's ``activity`` is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..cortex.patches import STREAM_PATCHES, grow_to_area, patch_candidates
from ..errors import (
    MismatchError,
    OptionError,
    check_interval,
    check_range,
)
from ..head.jitter import ElectrodeJitter
from ..signals import normalize, referenced
from .draws import Draw, KeptCandidates, check_resting, pack, window_start
from .mixing import (
    as_tensor,
    background_without_patches,
    peak_magnitude,
    project_clips,
    read_literally,
    scaled_noise,
    source_amplitude,
    window_of,
)
from .samples import Batch, Sample

if TYPE_CHECKING:
    from ..head.model import HeadModel
    from ..head.training_head import TrainingHead
    from ..spikes.library import SpikeLibrary


class SyntheticEEG:
    """An endless stream of synthetic samples; ``stream[i]`` depends on seed and i.

    Parameters
    ----------
    head : HeadModel | TrainingHead
        Leadfield and cortex.
    clips : SpikeLibrary
        Simulated waveforms and backgrounds.
    n_sources : int | sequence of int
        Patches in each sample; of a sequence, each sample draws one. A sample of
        none is the background of one clip.
    seed : int
        Key of the stream.
    source_snr : tuple of float
        Range of each source against its background (dB), drawn uniformly.
    sensor_snr : sequence of float
        Signal-to-noise ratios at the scalp (dB), one drawn for each sample.
    background_snr : tuple of float
        The same for samples of no source, whose signal is the background alone: a
        range, drawn uniformly, from mere noise to hardly any.
    half_distance : tuple of float
        Range of the distance at which a patch falls to half its strength (m).
    areas : tuple of float | None
        Range of the area of a source, m^2, drawn evenly in its logarithm; None grows
        sources as the paper does, 10 cm^2 and more.
    same_course : bool
        All sources of a sample have the time course of the first.
    resting : array of shape (n_clips, n_times, n_channels) | None
        Recordings of resting EEG, any unit, in the head's order of channels; see
        :func:`deepsif_lite.recordings.load_resting_eeg`. A sample takes one of them,
        each channel scaled to the same ratio to the signal, as the paper does.
    resting_share : float
        Share of the noise power that is resting EEG instead of white noise.
    electrode_jitter : tuple of float
        Range of the root mean square distance (m) by which the electrodes of a sample
        are beside those of the head, drawn uniformly; see
        :class:`~deepsif_lite.head.ElectrodeJitter`.
    n_times : int | None
        Length of the window, samples; by default that of the clips. A shorter one is
        cut at random around the peak of the first source.
    variant : "corrected" | "published" | sequence of {"noise", "window", "decay"}
        What of the authors' code is read literally: nothing, all of it, or some.
        Its ``"noise"`` has half the power and counts a channel's offset as signal, so
        that the true SNR is not the nominal one; it scales a source in a ``"window"``
        that runs to the end of the clip, not around the peak; and it leaves out the
        ``"decay"`` within a patch in that scaling.
    device : str | torch.device
        Where batches are made. Random choices are made on the CPU, so a sample is
        the same on every device (to rounding), batch size and worker count.

    Raises
    ------
    OptionError
        An argument is out of range.
    MismatchError
        Clips, head and resting EEG do not belong together.

    Examples
    --------
    >>> import deepsif_lite as dl
    >>> head = dl.load_head_model("template-75")
    >>> clips = dl.load_spike_library()
    >>> stream = dl.SyntheticEEG(head, clips, n_sources=2, seed=0)
    >>> sample = stream[7]
    >>> sample.eeg.shape, sample.activity.shape, len(sample.patches)
    ((500, 75), (500, 994), 2)
    """

    def __init__(
        self,
        head: HeadModel | TrainingHead,
        clips: SpikeLibrary,
        *,
        n_sources: int | Sequence[int] = 2,
        seed: int = 0,
        source_snr: tuple[float, float] = (10.0, 20.0),
        sensor_snr: Sequence[float] = (5.0, 10.0, 15.0, 20.0),
        background_snr: tuple[float, float] = (-20.0, 20.0),
        half_distance: tuple[float, float] = (0.04, 0.06),
        areas: tuple[float, float] | None = None,
        same_course: bool = False,
        resting: NDArray | None = None,
        resting_share: float = 0.0,
        electrode_jitter: tuple[float, float] = (0.0, 0.0),
        n_times: int | None = None,
        variant: str | Sequence[str] = "corrected",
        device: str | torch.device = "cpu",
    ) -> None:
        self.head, self.clips, self.seed, self.variant = head, clips, seed, variant
        self._literal = read_literally(variant)
        self.n_sources = tuple(np.atleast_1d(n_sources).tolist())
        self.source_snr, self.sensor_snr = source_snr, tuple(sensor_snr)
        self.background_snr = background_snr
        self.half_distance = half_distance
        self.areas, self.same_course = areas, same_course
        self.resting, self.resting_share = resting, resting_share
        self.electrode_jitter = electrode_jitter
        self.n_times = clips.n_times if n_times is None else n_times
        self.device = torch.device(device)
        self._check_options()
        self._check_parts()
        if resting is not None:
            centered = resting - resting.mean(axis=1, keepdims=True)
            rms = np.sqrt(np.mean(centered**2, axis=1, keepdims=True))
            self.resting = (centered / rms).astype(np.float32)
        leadfield = referenced(head.leadfield, head.modality)
        # Only ratios count, and squares of numbers near one stay within float32.
        leadfield = leadfield / np.linalg.norm(leadfield, axis=0).mean()
        self._clips = project_clips(clips, leadfield, self.device)
        self._candidates = KeptCandidates(
            head.cortex, patch_candidates, (seed, STREAM_PATCHES)
        )
        moves = self.electrode_jitter[1] > 0
        self._jitter = ElectrodeJitter(head.sensors) if moves else None

    def _check_options(self) -> None:
        if not self.n_sources or not self.sensor_snr:
            msg = "n_sources and sensor_snr must each hold a value to draw from."
            raise OptionError(msg)
        for count in self.n_sources:
            check_range("n_sources", count, 0, self.head.cortex.n_regions)
        check_interval("source_snr", self.source_snr)
        check_interval("background_snr", self.background_snr)
        check_interval("half_distance", self.half_distance, 0, open_low=True)
        if self.areas is not None:
            check_interval("areas", self.areas, 0, open_low=True)
        check_interval("electrode_jitter", self.electrode_jitter, 0)
        check_range("resting_share", self.resting_share, 0, 1)
        check_range("n_times", self.n_times, 2, self.clips.n_times)

    def _check_parts(self) -> None:
        clips, head = self.clips, self.head
        shape = (clips.n_times, len(head.ch_names))
        check_resting(self.resting, self.resting_share, shape)
        if clips.n_regions != head.cortex.n_regions:
            msg = (
                f"clips have {clips.n_regions} regions but head {head.name!r} has "
                f"{head.cortex.n_regions}; build the spike library on the head "
                "model's cortex."
            )
            raise MismatchError(msg)
        if clips.cortex != head.cortex.name:
            msg = (
                f"clips are on {clips.cortex!r} but head {head.name!r} on "
                f"{head.cortex.name!r}, whose regions lie elsewhere; see "
                "SpikeLibrary.transferred."
            )
            raise MismatchError(msg)

    def _tensor(self, array: NDArray | list) -> torch.Tensor:
        return as_tensor(array, self.device)

    def _draw(self, index: int) -> Draw:
        rng = np.random.default_rng([self.seed, index])
        count = int(rng.choice(self.n_sources))
        shape = (self.clips.n_times, len(self.head.ch_names))
        seeds = rng.choice(self.head.cortex.n_regions, count, replace=False)
        n_clips = max(count, 1)  # without a source there is still a background
        draw = Draw(
            patches=[self._random_patch(int(s), rng) for s in seeds],
            clips=rng.integers(len(self.clips.waveforms), size=n_clips).tolist(),
            half_distances=rng.uniform(*self.half_distance, n_clips).tolist(),
            source_snr_db=rng.uniform(*self.source_snr, n_clips).tolist(),
            snr_db=self._snr(count, rng),
            noise=self._unit_noise(rng, shape),
        )
        if self.same_course:
            draw.clips = draw.clips[:1] * n_clips
        if self.n_times < self.clips.n_times:
            peak = int(self.clips.peaks[draw.clips[0]])
            draw.start = window_start(peak, self.n_times, self.clips.n_times, rng)
        if self._jitter is not None:
            distance = rng.uniform(*self.electrode_jitter)
            draw.moved = self._jitter.draw(distance, rng).astype(np.float32)
        return draw

    def _snr(self, count: int, rng: np.random.Generator) -> float:
        if count == 0:
            return float(rng.uniform(*self.background_snr))
        return float(rng.choice(self.sensor_snr))

    def _unit_noise(self, rng: np.random.Generator, shape: tuple[int, int]) -> NDArray:
        """Noise of power one in each channel: white, or mixed with resting EEG."""
        white = rng.standard_normal(shape, dtype=np.float32)
        if self.resting is None or self.resting_share == 0:
            return white
        resting = self.resting[rng.integers(len(self.resting))]
        mixed = np.sqrt(1 - self.resting_share) * white
        return (mixed + np.sqrt(self.resting_share) * resting).astype(np.float32)

    def _random_patch(self, seed_region: int, rng: np.random.Generator) -> NDArray:
        """Grow a patch of the area asked for, or pick one of the seed's candidates."""
        if self.areas is not None:
            area = np.exp(rng.uniform(*np.log(self.areas)))
            return grow_to_area(self.head.cortex, seed_region, float(area), rng=rng)
        return self._candidates.pick(seed_region, rng)

    def batch(self, indices: Sequence[int]) -> Batch:
        """Make the samples of the given indices."""
        return self._assemble([self._draw(int(i)) for i in indices])

    def batches(self, n_samples: int, size: int, first: int = 0) -> Iterator[Batch]:
        """Make many samples, some at a time.

        Parameters
        ----------
        n_samples : int
            In all.
        size : int
            Samples in each batch; the last may hold fewer.
        first : int
            Index of the first sample.

        Yields
        ------
        Batch
        """
        stop = first + n_samples
        for start in range(first, stop, size):
            yield self.batch(range(start, min(start + size, stop)))

    def __getitem__(self, index: int) -> Sample:
        draw = self._draw(int(index))
        batch = self._assemble([draw])
        return Sample(
            eeg=batch.eeg[0].cpu().numpy(),
            activity=batch.activity[0].cpu().numpy(),
            patches=draw.patches,
            snr_db=draw.snr_db,
            source_snr_db=draw.source_snr_db,
            clips=draw.clips,
        )

    def _assemble(self, draws: Sequence[Any]) -> Batch:
        clips, literal = self._clips, self._literal
        regions, strength, clip, source_snr, present = map(
            self._tensor, pack(draws, self.head.cortex)
        )
        members = (strength > 0).float()
        gain, head = self._gains(draws)
        # (n_samples, n_sources, n_members, n_channels)
        columns = gain[head[:, None, None], regions]
        topography = torch.einsum("bsp,bspc->bsc", strength, columns)
        flat = topography
        if "decay" in literal:
            flat = torch.einsum("bsp,bspc->bsc", members, columns)
        background = self._backgrounds(clip, regions, members, present, gain, head)
        wave = self._waves(clip, draws) * present[..., None]
        amplitude = source_amplitude(
            clips, wave, flat, background, source_snr, to_the_end="window" in literal
        )[..., None]
        sources = torch.einsum("bst,bsc->btc", wave, topography * amplitude)
        cosines = clips.basis.expand(len(draws), -1, -1)
        eeg = torch.baddbmm(sources, cosines, background.sum(1))
        eeg = self._recorded(eeg, draws)
        eeg, wave = self._windows(eeg, wave, draws)
        weights = torch.zeros((*regions.shape[:2], gain.shape[1]), device=self.device)
        weights = weights.scatter_add_(2, regions, strength * amplitude)
        peak = peak_magnitude(wave, weights, regions)[:, None, None]
        weights = weights / peak.clamp_min(torch.finfo(peak.dtype).tiny)  # 0: no source
        eeg = normalize(eeg, self.head.modality)
        return Batch(eeg, wave, weights, self._leadfield(draws))

    def _leadfield(self, draws: Sequence[Any]) -> NDArray:
        """Return what a network is told of the electrodes."""
        return self.head.leadfield

    def _gains(self, draws: Sequence[Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return transposed leadfields, and which of them each sample has."""
        return self._clips.gain[None], self._tensor([0] * len(draws))

    def _backgrounds(self, clip, regions, members, present, gain, head) -> torch.Tensor:
        """Return scalp EEG of each clip without its patch, as cosine coefficients."""
        whole = background_without_patches(self._clips, clip, regions, members)
        return whole * present[..., None, None]

    def _waves(self, clip: torch.Tensor, draws: Sequence[Any]) -> torch.Tensor:
        """Return the time course of each source, (n_samples, n_sources, n_times)."""
        return self._clips.waveforms[clip]

    def _windows(
        self, eeg: torch.Tensor, wave: torch.Tensor, draws: Sequence[Any]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Cut the window of each sample out of EEG and time courses."""
        n_times = self._n_times(draws[0])
        if n_times == self.clips.n_times:
            return eeg, wave
        starts = self._tensor([draw.start for draw in draws])
        return window_of(eeg, starts, n_times, 1), window_of(wave, starts, n_times, 2)

    def _n_times(self, draw: Any) -> int:
        return self.n_times

    def _recorded(self, eeg: torch.Tensor, draws: Sequence[Any]) -> torch.Tensor:
        """Record scalp EEG with electrodes that were moved and are noisy."""
        moved = [d.moved for d in draws if d.moved is not None]  # all, or none
        if moved:
            eeg = eeg @ self._tensor(np.stack(moved)).mT
        noise = self._tensor(np.stack([d.noise for d in draws]))
        snr_db = self._tensor([d.snr_db for d in draws])
        return eeg + scaled_noise(
            eeg,
            noise,
            snr_db,
            half_power="noise" in self._literal,
            overall=self._have_topography(draws),
        )

    def _have_topography(self, draws: Sequence[Any]) -> torch.Tensor | None:
        """Return which samples have noise of unequal power; None for no sample."""
        return None
