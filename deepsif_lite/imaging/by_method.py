"""From EEG to source images by any method, networks and solvers alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..recordings.instances import check_kind
from ..solvers.methods import METHODS
from . import checks
from .fit import warn_about_fit
from .loading import find_imager, load_head
from .noise import given_noise
from .recorded import OWN_CAP
from .solving import Solver
from .windows import (
    DURATION,
    OVERLAP,
    epoch_windows,
    evoked_window,
    good_epochs,
    raw_windows,
    warn_about_epochs,
    with_warning,
)

if TYPE_CHECKING:
    import mne

    from ..head.model import HeadModel
    from .imager import Imager
    from .noise import Baseline
    from .source_image import SourceImage


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
    head : str | HeadModel | None
        By default the template head under the recording's own good electrodes, which
        ``"template"`` says as well, see :func:`deepsif_lite.head.template_cap`. Else a
        name for :func:`deepsif_lite.load_head_model`, or a head model, of whose
        channels those are used that were recorded. A network of one montage images
        with the head model it was trained for alone, and refuses others.
    tmin, tmax : float | None
        Window to image, s. By default all of it. The data covariance of LCMV is
        taken from this window.
    baseline : tuple of (float | None, float | None) | None
        Times without signal, s, from which the noise covariance is taken; they may
        lie outside ``tmin`` to ``tmax``. By default noise is taken as equal on all
        channels. Solvers also take the mean of the baseline from each channel, else
        that of the window, as networks do. A network (one for any cap) images data
        and leadfield that are whitened, see Notes.
    match : {"name", "position"}
        How channels are matched, see :func:`deepsif_lite.recordings.prepare`.
    noise : {"diagonal", "ledoit_wolf", "shrunk", "empirical"} | None
        How the noise covariance is estimated from the baseline, by default
        ``"diagonal"``, of networks ``"ledoit_wolf"``; see
        :func:`deepsif_lite.solvers.noise_covariance`.
    model : str | path | Imager | None
        The network of ``method="deepsif"``. By default the shipped one for ``head``.
    **options
        ``noise_cov`` in place of a baseline: an :class:`mne.Covariance`, of which the
        channels that are imaged are taken, or a matrix of these channels, in the order
        of the head model, V^2. All else is passed to the solver (``lambda2``,
        ``depth``, ``reg``, ...).

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
        The network was not trained for the head model, or there is none for it; or it
        knows one montage, whose leadfield no noise may change.

    Notes
    -----
    Give a network the baseline of an evoked response: it holds all that goes on during
    the response as well, background, eyes and muscles, but not the response. Give it
    none of an epileptic spike, whose baseline holds activity of the focus, which would
    be taken away as noise. Chapter 3b measures both.

    Examples
    --------
    >>> import mne
    >>> import numpy as np
    >>> import deepsif_lite as dl
    >>> head = dl.load_head_model("template-75")
    >>> moment = 1e-8 * np.hanning(50)  # up to 10 nA m, in region 100
    >>> potentials = np.outer(head.leadfield[:, 100], moment)
    >>> evoked = mne.EvokedArray(potentials, head.info)
    >>> image = dl.image(evoked, method="sloreta", head=head)
    >>> image.peak.region
    100
    """
    checks.check_options(method, model, baseline, noise, options)
    if METHODS[method].solve is None:
        imager = _imager_for(model, head)
        return imager.apply(
            evoked,
            tmin=tmin,
            tmax=tmax,
            baseline=baseline,
            match=match,
            noise=noise,
            **options,
        )
    check_kind(evoked, "Evoked")
    solver = _solver_for(method, head, match, options)
    ready, cap = solver.prepare(evoked, tmin, tmax, baseline, noise)
    warn_about_fit(ready.data.T, cap, 2)
    return next(solver.images([evoked_window(ready, cap)]))


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
    baseline : tuple of (float | None, float | None) | None
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
    if METHODS[method].solve is None:
        imager = _imager_for(model, head)
        return imager.apply_epochs(
            epochs,
            tmin=tmin,
            tmax=tmax,
            baseline=baseline,
            match=match,
            noise=noise,
            **options,
        )
    check_kind(epochs, "Epochs")
    solver = _solver_for(method, head, match, options)
    ready, cap = solver.prepare(good_epochs(epochs), tmin, tmax, baseline, noise)
    warn_about_epochs(ready, cap)
    return solver.images(epoch_windows(ready, cap))


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
    baseline : tuple of (float | None, float | None) | None
        Times of the recording without signal, s, for the noise covariance of the
        solvers. The mean is that of each window in any case. Channels that are bad
        there are left out of all windows.
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
    if METHODS[method].solve is None:
        imager = _imager_for(model, head)
        return imager.apply_raw(
            raw,
            window,
            overlap,
            tmin=tmin,
            tmax=tmax,
            baseline=baseline,
            match=match,
            noise=noise,
            **options,
        )
    check_kind(raw, "Raw")
    solver = _solver_for(method, head, match, options)
    batches = raw_windows(raw, solver.bring, window, overlap, tmin=tmin, tmax=tmax)
    if baseline is not None:
        solver.estimate_noise(raw, baseline, noise)
    return solver.images(with_warning(batches))


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


def _solver_for(
    method: str, head: str | HeadModel | None, match: str, options: dict
) -> Solver:
    """Return a solver that is ready to prepare recordings."""
    own = dict(options)
    noise_cov = own.pop("noise_cov", None)
    return Solver(method, _head_for(head), match, own, given_noise(noise_cov))
