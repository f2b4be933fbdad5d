"""Synthetic EEG: spike clips + patches + head model -> scalp EEG and its sources.

One sample holds one to three patches. Each patch takes its time course and its
background from one simulated clip; all are scaled, projected to the scalp, covered
with noise and normalized (Sun et al. 2022, Methods, "Simulating Synthetic Dataset").

Projection is linear, so the background of a clip is projected once and a sample only
exchanges the columns of its patches. Backgrounds are kept as the low part of their
cosine transform, which is how the library stores them; no (n_times, n_regions) array
is made unless a sample's ``activity`` is asked for.

``variant="corrected"`` is the default. It differs from ``"published"`` (the authors'
code read literally) in three places: the noise of a channel is set from its
variance so that the nominal SNR is the true one (the code halves the noise power and
counts the offset as signal); the source is scaled with the window around its peak
(the code's window runs to the end of the clip); and the decay within a patch counts
in that scaling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from ..cortex.patches import decay, patch_candidates
from ..head.jitter import ElectrodeJitter
from ..signals import average_reference, normalize

if TYPE_CHECKING:
    from ..head.model import HeadModel
    from ..spikes.library import SpikeLibrary

PEAK_WINDOW = 0.1  # s either side of the peak, where source and background compare
SPIKE_SNR_DB = 15.0  # a clip's spike against its background, before patches


@dataclass(frozen=True)
class Sample:
    """One synthetic recording.

    Attributes
    ----------
    eeg : array of shape (n_times, n_channels)
        Normalized EEG: no mean in time, average reference, largest magnitude 1.
    activity : array of shape (n_times, n_regions)
        Source activity, largest magnitude 1; zero outside the patches.
    patches : list of array of int
        Parcels of each source, its seed first.
    snr_db : float
        Nominal signal-to-noise ratio at the scalp.
    source_snr_db : list of float
        Source against background, one a patch.
    clips : list of int
        Row of the spike library behind each patch, or behind the background of a
        sample without patches.
    """

    eeg: NDArray
    activity: NDArray
    patches: list[NDArray]
    snr_db: float
    source_snr_db: list[float]
    clips: list[int]


@dataclass
class Batch:
    """Samples side by side, sources as an outer product (tensors).

    Attributes
    ----------
    eeg : tensor of shape (n_samples, n_times, n_channels)
    waveforms : tensor of shape (n_samples, n_sources, n_times)
    weights : tensor of shape (n_samples, n_sources, n_regions)
        Zero for sources a sample lacks; activity is ``waveforms' @ weights``.
    """

    eeg: torch.Tensor
    waveforms: torch.Tensor
    weights: torch.Tensor

    @property
    def activity(self) -> torch.Tensor:
        """Source activity, shape (n_samples, n_times, n_regions)."""
        return self.waveforms.transpose(1, 2) @ self.weights


@dataclass
class _Draw:
    """The random choices behind one sample."""

    patches: list[NDArray]
    clips: list[int]
    half_distances: list[float]
    source_snr_db: list[float]
    snr_db: float
    noise: NDArray = field(repr=False)
    start: int = 0
    moved: NDArray | None = field(default=None, repr=False)


class SyntheticEEG:
    """An endless stream of synthetic samples; ``stream[i]`` depends on seed and i.

    Parameters
    ----------
    head : HeadModel
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
    resting : array of shape (n_clips, n_times, n_channels), optional
        Recordings of resting EEG, any unit, in the head's order of channels; see
        :func:`deepsif_lite.recordings.load_resting_eeg`. A sample takes one of them.
    resting_share : float
        Share of the noise power that is resting EEG instead of white noise.
    electrode_jitter : tuple of float
        Range of the root mean square distance (m) by which the electrodes of a sample
        are beside those of the head, drawn uniformly; see
        :class:`~deepsif_lite.head.ElectrodeJitter`.
    n_times : int, optional
        Length of the window, samples; by default that of the clips. A shorter one is
        cut at random around the peak of the first source.
    variant : "corrected" | "published"
        See the module's notes.
    device : str | torch.device
        Where batches are made. Random choices are made on the CPU, so a sample is
        the same on every device (to rounding), batch size and worker count.

    Raises
    ------
    ValueError
        Clips and head do not share a parcellation, or an argument is out of range.

    Examples
    --------
    >>> import deepsif_lite as dl
    >>> head = dl.load_head_model("template-75")
    >>> stream = dl.SyntheticEEG(head, dl.load_spike_library(), n_sources=2, seed=0)
    >>> sample = stream[7]
    >>> sample.eeg.shape, sample.activity.shape, len(sample.patches)
    ((500, 75), (500, 994), 2)
    """

    def __init__(
        self,
        head: HeadModel,
        clips: SpikeLibrary,
        *,
        n_sources: int | Sequence[int] = 2,
        seed: int = 0,
        source_snr: tuple[float, float] = (10.0, 20.0),
        sensor_snr: Sequence[float] = (5.0, 10.0, 15.0, 20.0),
        background_snr: tuple[float, float] = (-20.0, 20.0),
        half_distance: tuple[float, float] = (0.04, 0.06),
        resting: NDArray | None = None,
        resting_share: float = 0.0,
        electrode_jitter: tuple[float, float] = (0.0, 0.0),
        n_times: int | None = None,
        variant: str = "corrected",
        device: str | torch.device = "cpu",
    ) -> None:
        self.head, self.clips, self.seed, self.variant = head, clips, seed, variant
        self.n_sources = tuple(np.atleast_1d(n_sources).tolist())
        self.source_snr, self.sensor_snr = source_snr, tuple(sensor_snr)
        self.background_snr = background_snr
        self.half_distance = half_distance
        self.resting, self.resting_share = resting, resting_share
        self.electrode_jitter = tuple(electrode_jitter)
        self.n_times = clips.n_times if n_times is None else n_times
        self.device = torch.device(device)
        self._check()
        if resting is not None:
            centered = resting - resting.mean(axis=1, keepdims=True)
            rms = np.sqrt(np.mean(centered**2, axis=1, keepdims=True))
            self.resting = (centered / rms).astype(np.float32)
        leadfield = average_reference(head.leadfield)
        # Only ratios count, and float32 likes numbers near one.
        leadfield = leadfield / np.linalg.norm(leadfield, axis=0).mean()
        self._gain = self._tensor(leadfield.T, torch.float32)  # (n_regions, n_channels)
        self._candidates: dict[int, list[NDArray]] = {}
        self._load_clips(leadfield)
        self._jitter = None
        if self.electrode_jitter[1] > 0:
            self._jitter = ElectrodeJitter(head.sensors)

    def _check(self) -> None:
        if self.variant not in ("corrected", "published"):
            msg = f"variant={self.variant!r} must be 'corrected' or 'published'."
            raise ValueError(msg)
        if min(self.n_sources) < 0:
            msg = f"n_sources={self.n_sources} must be at least 0."
            raise ValueError(msg)
        if not 0 <= self.resting_share <= 1:
            msg = f"resting_share={self.resting_share} must lie between 0 and 1."
            raise ValueError(msg)
        least, most = self.electrode_jitter
        if not 0 <= least <= most:
            msg = f"electrode_jitter={self.electrode_jitter} must be a range from 0 on."
            raise ValueError(msg)
        if not 1 < self.n_times <= self.clips.n_times:
            msg = f"n_times={self.n_times} must lie in 2 to the clips' {self.clips.n_times}."
            raise ValueError(msg)
        shape = (self.clips.n_times, len(self.head.ch_names))
        found = None if self.resting is None else self.resting.shape[1:]
        if found not in (None, shape) or (self.resting_share > 0 and found is None):
            msg = (
                f"resting_share={self.resting_share} needs resting EEG of shape "
                f"(n_clips, {shape[0]}, {shape[1]}); got {found}."
            )
            raise ValueError(msg)
        if self.clips.n_regions != self.head.cortex.n_regions:
            msg = (
                f"clips have {self.clips.n_regions} regions but head "
                f"{self.head.name!r} has {self.head.cortex.n_regions}; build the "
                "spike library on the head model's cortex."
            )
            raise ValueError(msg)
        if self.clips.cortex != self.head.cortex.name:
            msg = (
                f"clips are on {self.clips.cortex!r} but head {self.head.name!r} on "
                f"{self.head.cortex.name!r}, whose regions lie elsewhere; see "
                "SpikeLibrary.transferred."
            )
            raise ValueError(msg)

    def _tensor(self, array: NDArray, dtype: torch.dtype | None = None) -> torch.Tensor:
        # Copied, never shared: torch aligns its memory and NumPy does not, and the
        # alignment reaches the last bit of a product.
        return torch.tensor(array, dtype=dtype, device=self.device)

    def _load_clips(self, leadfield: NDArray) -> None:
        """Keep waveforms, background coefficients and their projection at hand."""
        clips = self.clips
        n_clips, n_times = clips.waveforms.shape
        self._basis = self._tensor(clips.basis, torch.float32)  # (n_times, n_coefs)
        # (n_clips, n_regions, n_coefs): rows of one patch are gathered together.
        self._levels = self._tensor(clips.levels)
        self._projected = torch.stack(
            [
                (self._levels[i].T.float() * clips.step) @ self._gain
                for i in range(n_clips)
            ]
        )
        # A clip lends its waveform to any patch, so the spiking parcel it came from
        # must not spike on in the background.
        own = self._levels[torch.arange(n_clips), clips.seeds.astype(int)].float()
        seed_gain = self._gain[clips.seeds.astype(int)]
        self._projected -= torch.einsum("nk,nc->nkc", own * clips.step, seed_gain)
        self._levels[torch.arange(n_clips), clips.seeds.astype(int)] = 0
        self._waveforms = self._tensor(self._scaled_waveforms(), torch.float32)

    def _scaled_waveforms(self) -> NDArray:
        """Raise each clip's spikes over its own background; largest magnitude 1."""
        rows = []
        half = round(PEAK_WINDOW * self.clips.sfreq)
        for i, waveform in enumerate(self.clips.waveforms):
            background = (self._basis @ self._projected[i]).cpu().numpy()
            seed_gain = self._gain[int(self.clips.seeds[i])].cpu().numpy()
            window = _around(self.clips.peaks[i], half, len(waveform))
            wave = waveform - waveform.mean()
            background = background - background.mean(axis=0)
            signal = np.mean(wave[window] ** 2) * np.sum(seed_gain**2)
            noise = np.mean(np.sum(background[window] ** 2, axis=1))
            alpha = np.sqrt(10 ** (SPIKE_SNR_DB / 10) * noise / signal)
            scaled = self.clips.rescaled(i, alpha)
            rows.append(scaled / np.abs(scaled).max())
        return np.array(rows)

    def _draw(self, index: int) -> _Draw:
        rng = np.random.default_rng([self.seed, index])
        count = int(rng.choice(self.n_sources))
        shape = (self.clips.n_times, len(self.head.ch_names))
        seeds = rng.choice(self.head.cortex.n_regions, count, replace=False)
        n_clips = max(count, 1)  # without a source there is still a background
        draw = _Draw(
            patches=[self._random_patch(int(s), rng) for s in seeds],
            clips=rng.integers(len(self.clips.waveforms), size=n_clips).tolist(),
            half_distances=rng.uniform(*self.half_distance, n_clips).tolist(),
            source_snr_db=rng.uniform(*self.source_snr, n_clips).tolist(),
            snr_db=self._snr(count, rng),
            noise=self._unit_noise(rng, shape),
        )
        if self.n_times < self.clips.n_times:
            peak = int(self.clips.peaks[draw.clips[0]])
            first = max(0, peak - self.n_times + 1)
            last = min(peak, self.clips.n_times - self.n_times)
            draw.start = int(rng.integers(first, last + 1))
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
        if self.resting_share == 0:
            return white
        resting = self.resting[rng.integers(len(self.resting))]
        mixed = np.sqrt(1 - self.resting_share) * white
        return (mixed + np.sqrt(self.resting_share) * resting).astype(np.float32)

    def _random_patch(self, seed_region: int, rng: np.random.Generator) -> NDArray:
        """Pick one of the seed's candidates, grown on first use from its own key."""
        if seed_region not in self._candidates:
            self._candidates[seed_region] = patch_candidates(
                self.head.cortex,
                seed_region,
                rng=np.random.default_rng([self.seed, 1 << 31, seed_region]),
            )
        candidates = self._candidates[seed_region]
        return candidates[rng.integers(len(candidates))]

    def batch(self, indices: Sequence[int]) -> Batch:
        """Make the samples of the given indices."""
        return self._assemble([self._draw(int(i)) for i in indices])

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

    def _assemble(self, draws: list[_Draw]) -> Batch:
        regions, strength, clip, source_snr, present = self._pack(draws)
        members = (strength > 0).float()
        gain = self._gain[regions]  # (n_samples, n_sources, n_members, n_channels)
        topography = torch.einsum("bsp,bspc->bsc", strength, gain)
        background = self._background(clip, regions, members, gain)
        background = background * present[..., None, None]
        wave = self._waveforms[clip] * present[..., None]
        flat = (
            topography
            if self.variant == "corrected"
            else torch.einsum("bsp,bspc->bsc", members, gain)
        )
        amplitude = self._amplitude(wave, flat, background, source_snr)
        strength = strength * amplitude[..., None]
        sources = torch.einsum("bst,bsc->btc", wave, topography * amplitude[..., None])
        eeg = torch.baddbmm(
            sources, self._basis.expand(len(draws), -1, -1), background.sum(1)
        )
        if self._jitter is not None:
            eeg = eeg @ self._tensor(np.stack([d.moved for d in draws])).mT
        eeg = eeg + self._noise(eeg, draws)
        if self.n_times < self.clips.n_times:
            inside = self._tensor([d.start for d in draws])[:, None]
            inside = inside + torch.arange(self.n_times, device=self.device)
            eeg = eeg.take_along_dim(inside[..., None], 1)
            wave = wave.take_along_dim(inside[:, None], 2)
        weights = torch.zeros(
            (*regions.shape[:2], len(self._gain)), device=self.device
        ).scatter_add_(2, regions, strength)
        peak = _peak_magnitude(wave, weights, regions)
        tiny = torch.finfo(peak.dtype).tiny  # where there is no source
        return Batch(
            normalize(eeg), wave, weights / peak.clamp_min(tiny)[:, None, None]
        )

    def _pack(self, draws: list[_Draw]) -> tuple[torch.Tensor, ...]:
        """Pad the ragged patches of a batch; padding has strength zero."""
        n_sources = max(len(d.clips) for d in draws)
        n_members = max((len(p) for d in draws for p in d.patches), default=1)
        regions = np.zeros((len(draws), n_sources, n_members), dtype=np.int64)
        strength = np.zeros(regions.shape, dtype=np.float32)
        clip = np.zeros(regions.shape[:2], dtype=np.int64)
        source_snr = np.zeros(regions.shape[:2], dtype=np.float32)
        present = np.zeros(regions.shape[:2], dtype=np.float32)
        for b, draw in enumerate(draws):
            clip[b, : len(draw.clips)] = draw.clips
            source_snr[b, : len(draw.clips)] = draw.source_snr_db
            present[b, : len(draw.clips)] = 1  # padding has no background either
            for s, patch in enumerate(draw.patches):
                regions[b, s, : len(patch)] = patch
                strength[b, s, : len(patch)] = decay(
                    self.head.cortex, patch, draw.half_distances[s]
                )
        arrays = (regions, strength, clip, source_snr, present)
        return tuple(self._tensor(array) for array in arrays)

    def _background(
        self,
        clip: torch.Tensor,
        regions: torch.Tensor,
        members: torch.Tensor,
        gain: torch.Tensor,
    ) -> torch.Tensor:
        """Scalp EEG of each clip without its patch, as cosine coefficients.

        Shape (n_samples, n_sources, n_coefs, n_channels).
        """
        patch_coefs = self._levels[clip[..., None], regions].float()
        patch_coefs *= (members * self.clips.step)[..., None]
        return self._projected[clip] - patch_coefs.transpose(-1, -2) @ gain

    def _amplitude(
        self,
        wave: torch.Tensor,
        topography: torch.Tensor,
        background: torch.Tensor,
        source_snr: torch.Tensor,
    ) -> torch.Tensor:
        """Scale that gives each source its ratio to its background.

        Both powers are taken in the window around the peak, over all channels, after
        the mean over the clip is gone.
        """
        n_times = wave.shape[-1]
        half = round(PEAK_WINDOW * self.clips.sfreq)
        peak = wave.argmax(-1)
        start = (peak - half).clamp_min(0)
        stop, length = torch.full_like(peak, n_times), n_times
        if self.variant == "corrected":
            stop, length = (peak + half).clamp_max(n_times), 2 * half
        inside = start[..., None] + torch.arange(length, device=self.device)
        cosines = self._basis[inside.clamp_max(n_times - 1)]
        cosines *= (inside < stop[..., None])[..., None]
        cosines[..., 0] = 0  # the mean over the clip
        noise = (cosines @ background).square().sum((-1, -2))
        centered = wave - wave.mean(-1, keepdim=True)
        energy = torch.nn.functional.pad((centered**2).cumsum(-1), (1, 0))
        energy = energy.gather(-1, torch.stack([start, stop], -1)).diff()[..., 0]
        signal = energy * (topography**2).sum(-1)
        ratio = 10 ** (source_snr / 10) * noise / signal.clamp_min(1e-20)
        return torch.where(signal > 0, ratio.sqrt(), torch.zeros_like(ratio))

    def _noise(self, eeg: torch.Tensor, draws: list[_Draw]) -> torch.Tensor:
        snr = self._tensor([d.snr_db for d in draws])
        white = self._tensor(np.stack([d.noise for d in draws]))
        if self.variant == "corrected":
            power = (eeg - eeg.mean(-2, keepdim=True)).square().mean(-2, keepdim=True)
        else:
            power = eeg.square().mean(-2, keepdim=True) / 2
        return white * (power * 10 ** (-snr / 10)[:, None, None]).sqrt()


def _around(peak: int, half: int, n_times: int) -> slice:
    return slice(max(peak - half, 0), min(peak + half, n_times))


def _peak_magnitude(
    wave: torch.Tensor, weights: torch.Tensor, regions: torch.Tensor
) -> torch.Tensor:
    """Return each sample's largest activity; patches may overlap and add up."""
    n_samples, n_sources = regions.shape[:2]
    flat = regions.reshape(n_samples, 1, -1).expand(-1, n_sources, -1)
    mixed = torch.gather(weights, 2, flat).transpose(1, 2) @ wave
    return mixed.abs().amax((1, 2))
