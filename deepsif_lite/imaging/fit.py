"""Whether a recording can come from sources in the head: each channel from the others.

Independent sources all over the cortex give a covariance of the channels, and with it
a prediction of each channel from all others. What does not follow it is noise, another
scale or polarity, or a mix-up of channels. No truth is needed to notice.
"""

from __future__ import annotations

import warnings
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..signals import average_reference
from .recent import Recent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..head.model import HeadModel

MISFIT = 1 / 3
"""Share of a recording's misfit that one channel may hold. Every patch and region of
the template head and of the published one stays below 0.31, real averages below 0.18;
channels scaled or inverted so that sLORETA errs by more than 10 mm lie above."""

PREDICTED = 0.5
"""Share of the strongest scalp map that the channels must predict of each other.
Patches, regions and real averages lie above 0.86, noise and shuffled channels below
0."""

_NOISE = 0.03  # of the mean variance of a channel
_LEAST_CHANNELS = 30  # with fewer, the others are too far to predict anything
_MANY_CHANNELS = 64  # for which MISFIT holds; of fewer, each has a larger share
_inverses: Recent[NDArray] = Recent(8)  # of the last caps


class Fit(NamedTuple):
    """How well channels follow from each other.

    Attributes
    ----------
    misfit : array of shape (n_channels,)
        Share of the misfit that is gone without this channel, 0 to 1.
    predicted : float
        Share of the strongest scalp map that is predicted; at most 1, and negative
        where prediction is worse than none.
    """

    misfit: NDArray
    predicted: float


def fit_of(eeg: NDArray, leadfield: NDArray) -> Fit:
    """Predict each channel from all others, by the leadfield.

    Parameters
    ----------
    eeg : array of shape (n_times, n_channels)
        Of any reference and unit, without its mean over time.
    leadfield : array of shape (n_channels, n_regions)

    Returns
    -------
    Fit

    References
    ----------
    Dubrule (1983), Mathematical Geology 15, 687-699 (all predictions from one
    inverse).
    """
    return _fit(eeg, _inverse(leadfield))


def fits_of(eeg: NDArray, head: HeadModel) -> list[Fit]:
    """Predict each channel from all others, in each of many windows.

    Parameters
    ----------
    eeg : array of shape (n_windows, n_times, n_channels)
        Average reference; the mean over each window does not count.
    head : HeadModel
        Of the same channels.

    Returns
    -------
    list of Fit
        Of windows that are not zero all over; none where the channels are too few to
        predict each other.
    """
    if len(head.ch_names) < _LEAST_CHANNELS:
        return []
    inverse = _inverse(head.leadfield)
    centered = eeg - eeg.mean(axis=1, keepdims=True)
    return [_fit(window, inverse) for window in centered if window.any()]


def _inverse(leadfield: NDArray) -> NDArray:
    """Return the inverse covariance of the channels, whatever their reference."""
    return _inverses.get(lambda: _invert(leadfield), leadfield)


def _invert(leadfield: NDArray) -> NDArray:
    n_channels = len(leadfield)
    gain = average_reference(leadfield, 0)
    covariance = gain @ gain.T
    covariance *= n_channels / np.trace(covariance)
    system = np.ones((n_channels + 1, n_channels + 1))  # ones: any reference
    system[:-1, :-1] = covariance + _NOISE * np.eye(n_channels)
    system[-1, -1] = 0
    return np.linalg.inv(system)[:-1, :-1]


def _fit(eeg: NDArray, inverse: NDArray) -> Fit:
    own = np.diag(inverse)
    power = eeg.T @ eeg
    misfit = ((inverse @ power) * inverse).sum(axis=1) / own
    strongest = average_reference(_strongest(power))
    rest = inverse @ strongest / own
    predicted = 1 - (rest**2).sum() / (strongest**2).sum()
    return Fit(misfit / np.sum(inverse * power), float(predicted))


def _strongest(power: NDArray) -> NDArray:
    """Return the first eigenvector, which alone takes a third of the time of all."""
    from scipy.linalg import eigh

    last = len(power) - 1
    return eigh(power, subset_by_index=(last, last), check_finite=False)[1][:, 0]


def warn_about_fit(eeg: NDArray, head: HeadModel, caller: int) -> None:
    """Warn of a channel, or of a recording, that no sources in the head explain.

    Parameters
    ----------
    eeg : array of shape (n_times, n_channels)
        Average reference, without its mean over time.
    head : HeadModel
        Of the same channels.
    caller : int
        Frames between this function and whom to warn.
    """
    n_channels = len(head.ch_names)
    if n_channels < _LEAST_CHANNELS or not eeg.any():
        return
    fit = fit_of(eeg, head.leadfield)
    worst = int(fit.misfit.argmax())
    if fit.predicted < PREDICTED:
        warnings.warn(
            f"The channels predict {max(fit.predicted, 0):.0%} of the strongest scalp "
            "map from each other, as noise would: the window holds no clear response, "
            "or the channels are mixed up. Average more epochs, choose a window "
            "(tmin, tmax) with the response, and check the channels' order and names.",
            stacklevel=caller + 1,
        )
    elif fit.misfit[worst] > _most_misfit(n_channels):
        warnings.warn(
            f"Channel {head.ch_names[worst]!r} does not fit the others: it alone makes "
            f"{fit.misfit[worst]:.0%} of what sources in the head cannot explain. Check "
            "its scale, polarity and place, or mark it bad (inst.info['bads']).",
            stacklevel=caller + 1,
        )


def _most_misfit(n_channels: int) -> float:
    # A single region of the template reaches .45 on 31 electrodes.
    return MISFIT * max(1, _MANY_CHANNELS / n_channels) ** 0.5


def warn_about_fits(fits: list[tuple[Fit, HeadModel]], caller: int) -> None:
    """Say of how many windows sources in the head explain a channel, or all, badly.

    Parameters
    ----------
    fits : list of (Fit, HeadModel)
        Of each window, and the head that has its channels.
    caller : int
        Frames between this function and whom to warn.
    """
    noise = [fit for fit, _ in fits if fit.predicted < PREDICTED]
    if noise:
        warnings.warn(
            f"The channels of {len(noise)} of {len(fits)} windows predict less than "
            f"{PREDICTED:.0%} of their strongest scalp map from each other, as noise "
            "would: those windows hold no clear response, or the channels are mixed "
            "up. Average epochs, look at windows with a response alone, and check the "
            "channels' order and names.",
            stacklevel=caller + 1,
        )
    worst = Counter(
        head.ch_names[int(fit.misfit.argmax())]
        for fit, head in fits
        if fit.predicted >= PREDICTED
        and fit.misfit.max() > _most_misfit(len(head.ch_names))
    )
    if worst:
        channel, count = worst.most_common(1)[0]
        warnings.warn(
            f"One channel does not fit the others in {worst.total()} of {len(fits)} "
            f"windows, most often {channel!r} ({count}): it alone makes "
            "more than a third of what sources in the head cannot explain. Check its "
            "scale, polarity and place, or mark it bad (inst.info['bads']).",
            stacklevel=caller + 1,
        )
