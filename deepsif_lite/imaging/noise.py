"""Noise covariances that know their channels, so that each head gets its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from ..errors import ChannelError, SignalError, WindowError
from ..recordings.names import match_names
from ..recordings.windows import check_baseline, inside
from ..solvers.whitening import DEFAULT_NOISE, noise_covariance
from .windows import read_piece

if TYPE_CHECKING:
    from collections.abc import Sequence

    import mne
    from numpy.typing import ArrayLike, NDArray

    from ..head.model import HeadModel
    from .recorded import Instance
    from .windows import Bring

    Baseline = tuple[float | None, float | None]
    NoiseCovariance: TypeAlias = ArrayLike | mne.Covariance


NETWORK_NOISE = "ledoit_wolf"
"""How networks know the noise of a baseline: whole, or nothing is gained by it."""
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
    from_part : bool
        Whether it was estimated from a part of a recording, of which other parts may
        have more good channels.
    """

    covariance: NDArray
    ch_names: list[str] | None
    from_part: bool = False

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


def given_noise(noise_cov: NoiseCovariance | None) -> Noise | None:
    """Understand a covariance that was given.

    Parameters
    ----------
    noise_cov : array of shape (n_channels, n_channels) | mne.Covariance | None
        V^2.

    Returns
    -------
    Noise or None
        None of None.

    Raises
    ------
    SignalError
        It is no square matrix of finite numbers.
    """
    import mne

    if noise_cov is None:
        return None
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


def find_noise(
    ready: mne.Evoked | mne.BaseEpochs,
    baseline: Baseline | None,
    method: str | None,
    noise_cov: NoiseCovariance | None,
) -> Noise | None:
    """Return the noise that a baseline or a covariance tells; None without either."""
    if baseline is not None:
        return noise_of(ready, baseline, method)
    return given_noise(noise_cov)


def noise_of_raw(
    raw: mne.io.BaseRaw, baseline: Baseline, method: str | None, bring: Bring
) -> Noise:
    """Estimate the noise covariance from a part of a raw recording."""
    window = check_baseline(raw.times, baseline)
    ready, _ = bring(read_piece(raw, *window).recording)
    return noise_of(ready, (None, None), method)._replace(from_part=True)


def keep_known(
    ready: Instance, head: HeadModel, noise: Noise | None
) -> tuple[Instance, HeadModel]:
    """Leave out channels that were bad where the noise was estimated."""
    if noise is None or noise.ch_names is None or not noise.from_part:
        return ready, head
    known = [name for name in ready.ch_names if name in noise.ch_names]
    if known == ready.ch_names:
        return ready, head
    ready.pick(known, verbose="error")
    ready.set_eeg_reference("average", projection=False, verbose="error")
    return ready, head.pick(known)
