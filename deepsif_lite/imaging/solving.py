"""Solvers as they are asked: a recording is prepared and imaged, each window alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from ..recordings.windows import check_window, remove_mean
from ..solvers.methods import METHODS
from . import checks
from .noise import keep_known, noise_of, noise_of_raw
from .recorded import prepare_as_recorded
from .windows import Windows, crop, images_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import mne
    from numpy.typing import NDArray

    from ..head.model import HeadModel
    from .noise import Baseline, Noise
    from .recorded import Instance
    from .source_image import SourceImage


@dataclass
class Solver:
    """A solver with what :func:`deepsif_lite.image` was told of how to use it.

    Attributes
    ----------
    method : str
        A name of :data:`deepsif_lite.solvers.METHODS`, not of a network.
    head : HeadModel | None
        None for the template under the recording's own electrodes.
    match : {"name", "position"}
    options : dict
        Of the solver itself.
    noise : Noise | None
        Given, or found by :meth:`prepare` and :meth:`estimate_noise`. None: equal and
        independent on all channels.
    keeps_mean : bool
        Whether the mean over a window counts: that of a baseline was taken away.
    """

    method: str
    head: HeadModel | None
    match: str
    options: dict
    noise: Noise | None = None
    keeps_mean: bool = False

    def prepare(
        self,
        inst: Instance,
        tmin: float | None,
        tmax: float | None,
        baseline: Baseline | None,
        estimate: str | None,
    ) -> tuple[Instance, HeadModel]:
        """Bring a recording to its head model, and cut a window out.

        ``estimate`` says how its noise follows from the baseline.
        """
        window = check_window(inst.times, tmin, tmax)
        ready, cap = prepare_as_recorded(
            inst, self.head, match=self.match, baseline=baseline
        )
        if baseline is not None:
            self.noise, self.keeps_mean = noise_of(ready, baseline, estimate), True
        crop(ready, window)
        checks.notice_long_window(ready.times[-1] - ready.times[0])
        if baseline is None:  # as the networks do
            checks.check_length(len(ready.times))
            remove_mean(ready)
        return ready, cap

    def estimate_noise(
        self, raw: mne.io.BaseRaw, baseline: Baseline, estimate: str | None
    ) -> None:
        """Estimate the noise from a part of a raw recording."""
        self.noise = noise_of_raw(raw, baseline, estimate, self.bring)

    def bring(self, piece: mne.io.BaseRaw) -> tuple[mne.io.BaseRaw, HeadModel]:
        """Bring a piece of a raw recording to its head model."""
        ready, cap = prepare_as_recorded(piece, self.head, match=self.match)
        return keep_known(ready, cap, self.noise)

    def images(self, batches: Iterable[Windows]) -> Iterator[SourceImage]:
        """Image batches of windows that are prepared."""
        return images_of(batches, self._solve, self.method, self.noise)

    def _solve(
        self, eeg: NDArray, head: HeadModel, noise_cov: NDArray | None
    ) -> tuple[NDArray, None]:
        solve = cast("Callable", METHODS[self.method].solve)  # it is no network
        options = dict(self.options)
        if noise_cov is not None:
            options["noise_cov"] = noise_cov
        if not self.keeps_mean:
            eeg = eeg - eeg.mean(axis=1, keepdims=True)
        return np.stack([solve(window, head, **options) for window in eeg]), None
