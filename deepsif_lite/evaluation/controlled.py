"""Synthetic EEG in which one thing is set: what a score depends on (PNAS SI Figs. S4 to S11).

It is :class:`~deepsif_lite.synthesis.SyntheticEEG` with some of its random choices
made by the caller: where two sources lie, how alike they are, how they grow, what
their time courses are, and which frequencies the recording keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import OptionError, check_interval, check_range
from ..synthesis.draws import Draw
from ..synthesis.stream import SyntheticEEG

if TYPE_CHECKING:
    from ..cortex.parcels import Parcels
    from ..head.model import HeadModel
    from ..spikes.library import SpikeLibrary

_CONTROLLED = 1 << 37  # key of what is drawn beside the base class
_EDGE = 0.5  # Hz over which the band of a filter begins and ends

Growth = Callable[["Parcels", int, np.random.Generator], NDArray]
Course = Callable[[int, float, np.random.Generator], NDArray]


@dataclass
class _ControlledDraw(Draw):
    """The random choices behind one sample, with time courses that are no clips."""

    courses: list[NDArray] = field(default_factory=list, repr=False)


class ControlledEEG(SyntheticEEG):
    """Synthetic samples in which some choices are not random.

    Parameters
    ----------
    head, clips
        As for :class:`~deepsif_lite.synthesis.SyntheticEEG`.
    apart : tuple of float | None
        Range of the distance of the second and further seeds to the first, m.
    depths : sequence of tuple of float | None
        Range of the depth of each source, m.
    correlation : float | None
        Of the time course of the second and further sources with that of the first.
    weaker_db : float
        By which the ratio to their background of the second and further sources lies
        below that of the first, dB.
    grow : callable | None
        Makes a patch of a seed, ``grow(cortex, seed_region, rng)``.
    course : callable | None
        Makes a time course, ``course(n_times, sfreq, rng)``, instead of the clips.
    band : tuple of float | None
        Lowest and highest frequency that the recording keeps, Hz. The true activity
        stays as it was.
    **options
        As for :class:`~deepsif_lite.synthesis.SyntheticEEG`.

    Raises
    ------
    OptionError
        An argument is out of range, or no region lies where a source is wanted.
    """

    def __init__(
        self,
        head: HeadModel,
        clips: SpikeLibrary,
        *,
        apart: tuple[float, float] | None = None,
        depths: Sequence[tuple[float, float]] | None = None,
        correlation: float | None = None,
        weaker_db: float = 0.0,
        grow: Growth | None = None,
        course: Course | None = None,
        band: tuple[float, float] | None = None,
        **options,
    ) -> None:
        super().__init__(head, clips, **options)
        for interval in (apart, band, *(depths or ())):
            if interval is not None:
                check_interval("apart, depths or band", interval, 0)
        if correlation is not None:
            check_range("correlation", correlation, -1, 1)
        self.apart, self.depths, self.correlation = apart, depths, correlation
        self.weaker_db, self.grow, self.course = weaker_db, grow, course
        self.band = band

    def _draw(self, index: int) -> Any:
        draw = super()._draw(index)
        rng = np.random.default_rng([self.seed, _CONTROLLED, index])
        self._place(draw, rng)
        if self.grow is not None:
            seeds = [int(patch[0]) for patch in draw.patches]
            draw.patches = [self.grow(self.head.cortex, s, rng) for s in seeds]
        for k in range(1, len(draw.patches)):
            draw.source_snr_db[k] = draw.source_snr_db[0] - self.weaker_db
        if self.course is not None:
            shape = self.clips.n_times, self.clips.sfreq
            draw = _ControlledDraw(**vars(draw))
            draw.courses = [self.course(*shape, rng) for _ in draw.patches]
        return draw

    def _place(self, draw: Any, rng: np.random.Generator) -> None:
        """Draw other seeds where their places are asked for."""
        depth = cast("HeadModel", self.head).depth
        for k, interval in enumerate(self.depths or ()):
            self._put(draw, k, depth, interval, rng)
        if self.apart is not None:
            distance = self.head.cortex.distances[int(draw.patches[0][0])]
            for k in range(1, len(draw.patches)):
                self._put(draw, k, distance, self.apart, rng)

    def _put(
        self,
        draw: Any,
        k: int,
        of_regions: NDArray,
        interval: tuple[float, float],
        rng: np.random.Generator,
    ) -> None:
        low, high = interval
        allowed = np.flatnonzero((of_regions >= low) & (of_regions <= high))
        others = [int(p[0]) for j, p in enumerate(draw.patches) if j != k]
        allowed = np.setdiff1d(allowed, others)
        if len(allowed) == 0:
            msg = f"no region lies between {low} and {high} m; widen the range."
            raise OptionError(msg)
        draw.patches[k] = self._random_patch(int(rng.choice(allowed)), rng)

    def _waves(self, clip: torch.Tensor, draws: Sequence[Any]) -> torch.Tensor:
        wave = super()._waves(clip, draws)
        if self.course is not None:
            wave = wave.clone()
            for b, draw in enumerate(draws):
                for k, course in enumerate(draw.courses):
                    wave[b, k] = self._tensor(course.astype(np.float32))
        if self.correlation is not None and wave.shape[1] > 1:
            wave = related(wave, self.correlation)
        return wave

    def _recorded(self, eeg: torch.Tensor, draws: Sequence[Any]) -> torch.Tensor:
        eeg = super()._recorded(eeg, draws)
        return eeg if self.band is None else kept(eeg, self.band, self.clips.sfreq)


def related(wave: torch.Tensor, correlation: float) -> torch.Tensor:
    """Give all courses but the first a correlation with the first.

    Parameters
    ----------
    wave : tensor of shape (n_samples, n_sources, n_times)
    correlation : float

    Returns
    -------
    tensor, same shape
        Largest magnitude of each course 1. What a course does not share with the
        first is its own.
    """
    centered = wave - wave.mean(-1, keepdim=True)
    first = centered[:, :1] / centered[:, :1].norm(dim=-1, keepdim=True)
    along = (centered[:, 1:] * first).sum(-1, keepdim=True)
    own = centered[:, 1:] - along * first
    own = own / own.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    mixed = correlation * first + (1 - correlation**2) ** 0.5 * own
    mixed = mixed / mixed.abs().amax(-1, keepdim=True)
    return torch.cat([wave[:, :1], mixed], dim=1)


def kept(eeg: torch.Tensor, band: tuple[float, float], sfreq: float) -> torch.Tensor:
    """Keep a band of frequencies, as if the window were repeated without end.

    Parameters
    ----------
    eeg : tensor of shape (n_samples, n_times, n_channels)
    band : tuple of float
        Hz; outside of it the gain falls to zero over half a hertz.
    sfreq : float
        Hz.
    """
    frequency = torch.fft.rfftfreq(eeg.shape[1], 1 / sfreq, device=eeg.device)
    low, high = band
    below = ((frequency - low) / _EDGE + 1).clamp(0, 1)
    above = ((high - frequency) / _EDGE + 1).clamp(0, 1)
    gain = (below * above)[:, None]
    return torch.fft.irfft(torch.fft.rfft(eeg, dim=1) * gain, n=eeg.shape[1], dim=1)
