"""From EEG to source images by any method, networks and solvers alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ..recordings.instances import check_kind
from ..recordings.windows import check_window, inside, remove_mean
from ..solvers.methods import METHODS
from ..solvers.whitening import DEFAULT_NOISE, noise_covariance
from . import checks
from .fit import warn_about_fit
from .loading import find_imager, load_head
from .recorded import OWN_CAP, prepare_as_recorded
from .source_image import SourceImage
from .windows import (
    DURATION,
    OVERLAP,
    crop,
    epoch_windows,
    evoked_window,
    good_epochs,
    images_of,
    raw_windows,
    read_piece,
    warn_about_epochs,
    with_warning,
)

if TYPE_CHECKING:
    import mne
    from numpy.typing import NDArray

    from ..head.model import HeadModel
    from .imager import Imager

    Baseline = tuple[float | None, float | None]
    Recording: TypeAlias = mne.Evoked | mne.BaseEpochs | mne.io.BaseRaw


def image(
    evoked: mne.Evoked,
    method: str = "deepsif",
    head: str | HeadModel | None = None,
    *,
    tmin: float | None = None,
    tmax: float | None = None,
    baseline: Baseline | None = None,
    match: str = "name",
    noise: str | None = None,
    model: str | Path | Imager | None = None,
    **options,
) -> SourceImage:
    """Image an evoked response by any method.

    Parameters
    ----------
    evoked : mne.Evoked
        EEG, V.
    method : str
        A name of :data:`deepsif_lite.solvers.METHODS`: ``"deepsif"``, ``"sloreta"``,
        ``"lcmv"``, ``"cmem"``, ``"fast-ires"``, ``"champagne"``, ``"mne"``, ``"dspm"``.
    head : str or HeadModel, optional
        By default the template head under the recording's own good electrodes, which
        ``"template"`` says as well, see :func:`deepsif_lite.head.template_cap`. Else a
        name for :func:`deepsif_lite.load_head_model`, or a head model, of whose
        channels those are used that were recorded. A network of one montage images
        with the head model it was trained for alone, and refuses others.
    tmin, tmax : float, optional
        Window to image, s. By default all of it. The data covariance of LCMV is
        taken from this window.
    baseline : tuple of (float or None, float or None), optional
        Times without signal, s, from which the solvers take the noise covariance,
        and whose mean is taken from each channel; they may lie outside ``tmin`` to
        ``tmax``. By default noise is taken as equal on all channels, and the mean is
        that of the window. Not for networks.
    match : {"name", "position"}
        How channels are matched, see :func:`deepsif_lite.recordings.prepare`.
    noise : {"diagonal", "ledoit_wolf", "shrunk", "empirical"}, optional
        How the noise covariance is estimated from the baseline, by default
        ``"diagonal"``; see :func:`deepsif_lite.solvers.noise_covariance`.
    model : str, path or Imager, optional
        The network of ``method="deepsif"``. By default the shipped one for ``head``.
    **options
        Passed to the solver (``lambda2``, ``depth``, ``reg``, ``noise_cov``, ...).

    Returns
    -------
    SourceImage

    Raises
    ------
    OptionError
        The method is unknown, or takes no such option.
    SignalError, ChannelError
        ``evoked`` is no evoked response, or does not fit the head model.
    WindowError
        A window lies outside the recording.
    MismatchError
        The network was not trained for the head model, or there is none for it.

    Examples
    --------
    >>> import mne
    >>> import numpy as np
    >>> import deepsif_lite as dl
    >>> head = dl.load_head_model("template-75")
    >>> moment = 1e-8 * np.hanning(50)  # up to 10 nA m, in region 100
    >>> evoked = mne.EvokedArray(np.outer(head.leadfield[:, 100], moment), head.info)
    >>> image = dl.image(evoked, method="sloreta", head=head)
    >>> image.peak.region
    100
    """
    checks.check_options(method, model, baseline, noise, options)
    solve = METHODS[method].solve
    if solve is None:
        imager = _imager_for(model, head)
        return imager.apply(evoked, tmin=tmin, tmax=tmax, match=match)
    check_kind(evoked, "Evoked")
    window = check_window(evoked.times, tmin, tmax)
    ready, cap = prepare_as_recorded(
        evoked, _head_for(head), match=match, baseline=baseline
    )
    if baseline is not None:
        options["noise_cov"] = _noise_of(ready, baseline, noise)
    crop(ready, window)
    if baseline is None:  # as the networks do
        checks.check_length(len(ready.times))
        remove_mean(ready)
    warn_about_fit(ready.data.T, cap, 2)
    run = _each_alone(solve, options, keep_mean=baseline is not None)
    noise_cov = options.get("noise_cov")
    return next(images_of([evoked_window(ready, cap)], run, method, noise_cov))


def image_epochs(
    epochs: mne.BaseEpochs,
    method: str = "deepsif",
    head: str | HeadModel | None = None,
    *,
    tmin: float | None = None,
    tmax: float | None = None,
    baseline: Baseline | None = None,
    match: str = "name",
    noise: str | None = None,
    model: str | Path | Imager | None = None,
    **options,
) -> Iterator[SourceImage]:
    """Image epochs by any method, each alone.

    Parameters
    ----------
    epochs : mne.Epochs
        EEG, V. Channels are judged for all epochs alike.
    method, head, tmin, tmax
        As of :func:`deepsif_lite.image`. The data covariance of LCMV is that of each
        epoch; average epochs first where there is little of it.
    baseline : tuple of (float or None, float or None), optional
        As of :func:`deepsif_lite.image`: the mean is that of each epoch, the noise
        covariance that of the baselines of all.
    match, noise, model, **options
        As of :func:`deepsif_lite.image`.

    Yields
    ------
    SourceImage
        One an epoch, in their order, without those that were dropped. They are made as
        they are asked for (one takes 2 to 4 MB); ``list`` keeps all.

    Raises
    ------
    OptionError, SignalError, ChannelError, WindowError, MismatchError
        As of :func:`deepsif_lite.image`, at once.

    Warns
    -----
    UserWarning
        Of how many epochs the channels do not follow from each other as sources in the
        head make them: once, before the first image.
    """
    checks.check_options(method, model, baseline, noise, options)
    solve = METHODS[method].solve
    if solve is None:
        imager = _imager_for(model, head)
        return imager.apply_epochs(epochs, tmin=tmin, tmax=tmax, match=match)
    check_kind(epochs, "Epochs")
    window = check_window(epochs.times, tmin, tmax)
    ready, cap = prepare_as_recorded(
        good_epochs(epochs), _head_for(head), match=match, baseline=baseline
    )
    if baseline is not None:
        options["noise_cov"] = _noise_of(ready, baseline, noise)
    crop(ready, window)
    if baseline is None:
        checks.check_length(len(ready.times))
    warn_about_epochs(ready, cap)
    run = _each_alone(solve, options, keep_mean=baseline is not None)
    return images_of(epoch_windows(ready, cap), run, method, options.get("noise_cov"))


def image_raw(
    raw: mne.io.BaseRaw,
    method: str = "deepsif",
    head: str | HeadModel | None = None,
    *,
    window: float = DURATION,
    overlap: float = OVERLAP,
    tmin: float | None = None,
    tmax: float | None = None,
    baseline: Baseline | None = None,
    match: str = "name",
    noise: str | None = None,
    model: str | Path | Imager | None = None,
    **options,
) -> Iterator[SourceImage]:
    """Image a raw recording by any method, window by window.

    Parameters
    ----------
    raw : mne.io.Raw
        EEG, V. What is not in memory is read as it is needed.
    method, head
        As of :func:`deepsif_lite.image`. The data covariance of LCMV is that of each
        window.
    window, overlap, tmin, tmax
        As of :meth:`deepsif_lite.imaging.Imager.apply_raw`.
    baseline : tuple of (float or None, float or None), optional
        Times of the recording without signal, s, for the noise covariance of the
        solvers. The mean is that of each window in any case.
    match, noise, model, **options
        As of :func:`deepsif_lite.image`.

    Yields
    ------
    SourceImage
        As of :meth:`deepsif_lite.imaging.Imager.apply_raw`.

    Raises
    ------
    OptionError, SignalError, WindowError, MismatchError
        What is wrong with the arguments, at once. What is wrong with a piece of the
        recording is raised when it is read.

    Warns
    -----
    UserWarning
        As of :func:`deepsif_lite.image_epochs`, of windows, after the last image.
    """
    checks.check_options(method, model, baseline, noise, options)
    solve = METHODS[method].solve
    if solve is None:
        imager = _imager_for(model, head)
        return imager.apply_raw(raw, window, overlap, tmin=tmin, tmax=tmax, match=match)
    check_kind(raw, "Raw")
    cap = _head_for(head)

    def bring(piece: mne.io.BaseRaw) -> tuple[mne.io.BaseRaw, HeadModel]:
        return prepare_as_recorded(piece, cap, match=match)

    batches = raw_windows(raw, bring, window, overlap, tmin=tmin, tmax=tmax)
    if baseline is not None:
        piece = read_piece(raw, *check_window(raw.times, *baseline, name="baseline"))
        ready, cap = bring(piece.recording)  # the channels that are good there
        options["noise_cov"] = _noise_of(ready, (None, None), noise)
    run = _each_alone(solve, options, keep_mean=False)
    return images_of(with_warning(batches), run, method, options.get("noise_cov"))


def _head_for(head: str | HeadModel | None) -> HeadModel | None:
    """Load a head model; None stands for the template under the recording's cap."""
    if head is None or (isinstance(head, str) and head == OWN_CAP):
        return None
    return load_head(head)


def _imager_for(
    model: str | Path | Imager | None, head: str | HeadModel | None
) -> Imager:
    """Find a network; one for any cap adapts to a recording unless a head is given."""
    return find_imager(model, _head_for(head))


def _noise_of(
    ready: Recording,
    baseline: Baseline,
    noise: str | None,
) -> NDArray:
    """Estimate the noise covariance from the baseline, of epochs from those of all."""
    window = check_window(ready.times, *baseline, name="baseline")
    data = ready.get_data()[..., inside(ready.times, *window)]
    samples = np.moveaxis(data, -2, -1).reshape(-1, data.shape[-2])
    return noise_covariance(samples, noise or DEFAULT_NOISE)


def _each_alone(
    solve: Callable, options: dict, *, keep_mean: bool
) -> Callable[[NDArray, HeadModel], tuple[NDArray, None]]:
    """Return a solver for batches of windows."""

    def run(eeg: NDArray, head: HeadModel) -> tuple[NDArray, None]:
        if not keep_mean:  # as the networks do
            eeg = eeg - eeg.mean(axis=1, keepdims=True)
        return np.stack([solve(window, head, **options) for window in eeg]), None

    return run
