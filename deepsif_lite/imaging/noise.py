"""Noise covariances that know their channels, so that each head gets its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import ChannelError, SignalError, WindowError
from ..recordings.names import match_names
from ..recordings.windows import check_baseline, inside
from ..signals import average_reference
from ..solvers.whitening import DEFAULT_NOISE, noise_covariance

if TYPE_CHECKING:
    from collections.abc import Sequence

    import mne
    from numpy.typing import ArrayLike, NDArray

    Baseline = tuple[float | None, float | None]


_LEAST_SAMPLES = 10  # of a baseline; a variance is then known to a half
_ROUNDING = 1e-6  # of the largest entry


class Noise(NamedTuple):
    """A noise covariance.

    Attributes
    ----------
    covariance : array of shape (n_channels, n_channels)
        V^2.
    ch_names : list of str | None
        Its channels; None where nobody said.
    """

    covariance: NDArray
    ch_names: list[str] | None

    def named(self, ch_names: Sequence[str]) -> Noise:
        """Return it with the names of the channels imaged first, if it has none yet.

        Of later pieces of a recording other channels may be good.
        """
        if self.ch_names is None and len(self.covariance) == len(ch_names):
            return self._replace(ch_names=list(ch_names))
        return self

    def on(self, ch_names: Sequence[str]) -> NDArray:
        """Return the covariance of some channels, in their order.

        Raises
        ------
        ChannelError
            It holds not all of them, or another number without saying which.
        """
        own, n_channels = self.ch_names, len(self.covariance)
        if own is None:
            if n_channels == len(ch_names):
                return self.covariance
            msg = (
                f"noise_cov is of {n_channels} channels, and {len(ch_names)} are "
                f"imaged, the good ones that the head model has: {list(ch_names)}. Give "
                "it of these, in this order, or as an mne.Covariance, which has names."
            )
            raise ChannelError(msg)
        if list(ch_names) == own:
            return self.covariance
        there = match_names(own, ch_names)
        missing = [name for name in ch_names if name not in there]
        if missing:
            msg = (
                f"noise_cov has no {missing}, which are imaged; compute it of them too, "
                "or mark them bad (inst.info['bads'])."
            )
            raise ChannelError(msg)
        rows = [own.index(there[name]) for name in ch_names]
        return self.covariance[np.ix_(rows, rows)]

    def power(self, ch_names: Sequence[str]) -> float:
        """Return the mean variance of a channel on the average reference."""
        covariance = self.on(ch_names)
        centered = average_reference(average_reference(covariance, 0), 1)
        return float(np.trace(centered) / len(centered))


def given_noise(noise_cov: ArrayLike | mne.Covariance) -> Noise:
    """Understand a covariance that was given.

    Parameters
    ----------
    noise_cov : array of shape (n_channels, n_channels) | mne.Covariance
        V^2.

    Raises
    ------
    SignalError
        It is no square matrix of finite numbers.
    """
    import mne

    ch_names = None
    if isinstance(noise_cov, mne.Covariance):
        ch_names, matrix = list(noise_cov["names"]), noise_cov["data"]
        noise_cov = np.diag(matrix) if noise_cov["diag"] else matrix
    try:
        covariance = np.asarray(noise_cov, dtype=float)
    except (TypeError, ValueError):
        covariance = np.full((1, 1), np.nan)
    square = covariance.ndim == 2 and len(covariance) == covariance.shape[1]
    finite = np.isfinite(covariance).all() and not np.iscomplexobj(noise_cov)
    if not (square and finite and _is_symmetric(covariance)):
        msg = (
            "noise_cov must be a square, symmetric matrix of finite numbers, V^2, or an "
            "mne.Covariance."
        )
        raise SignalError(msg)
    return Noise(covariance, ch_names)


def _is_symmetric(matrix: NDArray) -> bool:
    return bool(np.abs(matrix - matrix.T).max() <= _ROUNDING * np.abs(matrix).max())


def noise_of(
    ready: mne.Evoked | mne.BaseEpochs | mne.io.BaseRaw,
    baseline: Baseline,
    method: str | None,
) -> Noise:
    """Estimate the noise covariance from the baseline, of epochs from those of all."""
    window = check_baseline(ready.times, baseline)
    data = ready.get_data()[..., inside(ready.times, *window)]
    samples = np.moveaxis(data, -2, -1).reshape(-1, data.shape[-2])
    if len(samples) < _LEAST_SAMPLES:
        msg = (
            f"baseline={tuple(baseline)} holds {len(samples)} samples, too few to tell "
            f"how much noise there is ({_LEAST_SAMPLES} at least); widen it."
        )
        raise WindowError(msg)
    return Noise(
        noise_covariance(samples, method or DEFAULT_NOISE), list(ready.ch_names)
    )
