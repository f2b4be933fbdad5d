"""Windows of recordings that are ready to image: one, those of epochs, those of raw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from ..errors import SignalError, WindowError, check_range
from ..recordings.windows import check_window
from ..signals import average_reference
from ..solvers.methods import METHODS
from . import checks
from .evidence import Evidence
from .fit import Fit, fits_of, warn_about_fits
from .source_image import SourceImage

if TYPE_CHECKING:
    import mne
    from numpy.typing import NDArray

    from ..head.model import HeadModel
    from .noise import Noise

    # Of windows, their head and the covariance of their noise, if that is known.
    Solve: TypeAlias = Callable[
        [NDArray, HeadModel, NDArray | None], tuple[NDArray, NDArray | None]
    ]
    Bring: TypeAlias = Callable[[mne.io.BaseRaw], tuple[mne.io.BaseRaw, HeadModel]]

DURATION, OVERLAP = 1.0, 0.5  # s, of windows of a raw recording
_BATCH = 8  # windows at a time; their images, 2 MB each, bound the memory
_LONGEST = 86_400.0  # s, of a window; no number of samples is beyond it
_MARGIN = 0.1  # s around a batch of a raw recording: resampling rings at its edges
_CALLER = 3  # frames to whoever asks for epochs at once, for the last window of raw
_BAD = ("bad", "edge")  # how MNE names pieces that are not to be looked at


class Windows(NamedTuple):
    """A batch of windows of equal length.

    Attributes
    ----------
    eeg : array of shape (n_windows, n_times, n_channels)
        V, average reference.
    times : array of shape (n_windows, n_times)
        Seconds.
    head : HeadModel
        With these channels.
    """

    eeg: NDArray
    times: NDArray
    head: HeadModel


def crop(ready: mne.Evoked | mne.BaseEpochs, window: tuple[float, float]) -> None:
    """Crop in place; resampling may have moved the last sample."""
    low, high = window
    ready.crop(max(low, ready.times[0]), min(high, ready.times[-1]), verbose="error")


def good_epochs(epochs: mne.BaseEpochs) -> mne.BaseEpochs:
    """Return the epochs that were not rejected.

    Raises
    ------
    SignalError
        None is left.
    """
    kept = epochs.copy()
    kept.drop_bad(verbose="error")  # it returns nothing where all were looked at
    if not len(kept):
        msg = "epochs holds none (all were rejected); loosen the rejection."
        raise SignalError(msg)
    return kept


def evoked_window(ready: mne.Evoked, head: HeadModel) -> Windows:
    """Return a prepared evoked response as a batch of one."""
    return Windows(ready.data.T[None], ready.times[None], head)


def epoch_windows(ready: mne.BaseEpochs, head: HeadModel) -> Iterator[Windows]:
    """Yield prepared epochs in batches."""
    eeg = ready.get_data(copy=False).swapaxes(1, 2)
    times = np.broadcast_to(ready.times, (len(eeg), len(ready.times)))
    for first in range(0, len(eeg), _BATCH):
        part = slice(first, first + _BATCH)
        yield Windows(eeg[part], times[part], head)


def raw_windows(
    raw: mne.io.BaseRaw,
    bring: Bring,
    window: float,
    overlap: float,
    *,
    tmin: float | None,
    tmax: float | None,
) -> Iterator[Windows]:
    """Yield windows of a raw recording in batches, each read when it is asked for.

    Parameters
    ----------
    raw : mne.io.Raw
        Need not be in memory.
    bring : callable
        Prepares a piece of it; returns that and its head model.
    window, overlap : float
        Length of a window, and what it shares with the one before, s.
    tmin, tmax : float | None
        Part of the recording, s.

    Raises
    ------
    WindowError, OptionError
        At once, not when the first batch is asked for.
    """
    low, high = check_window(raw.times, tmin, tmax)
    check_range("window", window, 1 / raw.info["sfreq"], _LONGEST)
    check_range("overlap", overlap, 0, window - 1 / raw.info["sfreq"])
    batches = _good_starts(raw, low, high, window, window - overlap)
    return _read_batches(raw, bring, batches, window)


def _good_starts(
    raw: mne.io.BaseRaw, low: float, high: float, window: float, step: float
) -> list[NDArray]:
    """Return where windows start that hold no piece annotated as bad, in batches."""
    length = high - low + 1 / raw.info["sfreq"]
    # Half a sample: what rounding takes from the last window.
    n_windows = int((length - window + 0.5 / raw.info["sfreq"]) // step) + 1
    if n_windows < 1:
        msg = f"window={window} s is longer than the {length:.3f} s of raw."
        raise WindowError(msg)
    starts = low + step * np.arange(n_windows)
    bad = np.zeros(n_windows, dtype=bool)
    for piece in raw.annotations:
        if piece["description"].lower().startswith(_BAD):
            begin = piece["onset"] - raw.first_time
            bad |= (starts < begin + piece["duration"]) & (starts + window > begin)
    if bad.all():
        msg = "Every window of raw holds a piece annotated as bad; clean it first."
        raise WindowError(msg)
    good = np.flatnonzero(~bad)
    # No batch goes over a bad piece, for whose sake channels would count as bad.
    runs = np.split(good, np.flatnonzero(np.diff(good) > 1) + 1)
    return [
        starts[run[k : k + _BATCH]] for run in runs for k in range(0, len(run), _BATCH)
    ]


def _read_batches(
    raw: mne.io.BaseRaw, bring: Bring, batches: list[NDArray], window: float
) -> Iterator[Windows]:
    for starts in batches:
        low, high = starts[0] - _MARGIN, starts[-1] + window + _MARGIN
        piece, offset = read_piece(raw, low, high)
        ready, head = bring(piece)
        eeg, rate = ready.get_data().T, ready.info["sfreq"]
        n_times = round(window * rate)
        first = np.round((starts - offset) * rate).astype(int)
        first = np.minimum(first, len(eeg) - n_times)  # resampling rounds the end
        samples = first[:, None] + np.arange(n_times)
        yield Windows(eeg[samples], offset + samples / rate, head)


class Piece(NamedTuple):
    """A part of a raw recording, and when it starts there (s)."""

    recording: mne.io.BaseRaw
    start: float


def read_piece(raw: mne.io.BaseRaw, low: float, high: float) -> Piece:
    """Read what lies between two times.

    Unlike a copy that is cropped, it never doubles a recording that is in memory.
    """
    import mne

    rate = raw.info["sfreq"]
    first, last = max(0, round(low * rate)), min(raw.n_times, round(high * rate) + 1)
    data = raw.get_data(start=first, stop=last, verbose="error")
    recording = mne.io.RawArray(data, raw.info.copy(), verbose="error")
    return Piece(recording, first / rate)


def warn_about_epochs(ready: mne.BaseEpochs, head: HeadModel) -> None:
    """Say, at once, how many epochs no sources in the head explain."""
    fits = [
        (fit, head)
        for batch in epoch_windows(ready, head)
        for fit in fits_of(batch.eeg, head)
    ]
    warn_about_fits(fits, _CALLER)


def with_warning(batches: Iterable[Windows]) -> Iterator[Windows]:
    """Pass windows on; after the last, say how many no sources in the head explain."""
    fits: list[tuple[Fit, HeadModel]] = []
    for batch in batches:
        fits += [(fit, batch.head) for fit in fits_of(batch.eeg, batch.head)]
        yield batch
    warn_about_fits(fits, _CALLER)


def images_of(
    batches: Iterable[Windows],
    solve: Solve,
    method: str,
    noise: Noise | None = None,
) -> Iterator[SourceImage]:
    """Image windows one batch at a time.

    Each image owns its arrays: one that is kept keeps nothing else in memory but the
    head model. The noise tells it how far it can be trusted.
    """
    unit = METHODS[method].unit
    for batch in batches:
        noise_cov = power = None
        if noise is not None:
            noise = noise.named(batch.head.ch_names)
            noise_cov = noise.on(batch.head.ch_names)
            power = _mean_variance(noise_cov)
        activity, probability = solve(batch.eeg, batch.head, noise_cov)
        checks.check_output(method, activity, probability)
        for k, course in enumerate(activity):
            likely = None if probability is None else probability[k].copy()
            times = batch.times[k].copy()
            behind = Evidence(batch.eeg[k].copy(), batch.head, power)
            cortex = batch.head.cortex
            yield SourceImage(
                course.T.copy(), times, cortex, method, unit, likely, behind
            )


def _mean_variance(covariance: NDArray) -> float:
    """Return the mean variance of a channel on the average reference."""
    centered = average_reference(average_reference(covariance, 0), 1)
    return float(np.trace(centered) / len(centered))
