"""From EEG to a source image: one function for all methods, and trained networks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import SignalError, check_option, check_shape
from ..recordings.instances import check_instance
from ..recordings.preparation import prepare
from ..recordings.windows import check_window, remove_mean
from ..signals import normalize
from ..solvers.methods import METHODS
from . import checks
from .fit import warn_about_fit
from .loading import default_network, shared_network
from .source_image import SourceImage

if TYPE_CHECKING:
    from collections.abc import Iterable

    import mne
    from torch import Tensor, nn

    from ..head.model import HeadModel
    from .explanation import Explanation

DEFAULT_HEAD = "template-75"
_BATCH = 32  # windows at a time; bounds the memory of predict


@dataclass(frozen=True, eq=False)
class Imager:
    """A trained network with the head model it was trained for.

    Attributes
    ----------
    network : torch.nn.Module
        Maps normalized EEG (batch, n_times, n_channels) to activity
        (batch, n_times, n_regions).
    card : dict
        What the network was trained for and what it reached.
    head : HeadModel
        Channels and cortex.
    device : str
        Where the network runs.
    """

    network: nn.Module
    card: dict
    head: HeadModel
    device: str = "cpu"

    def predict(self, eeg: np.ndarray) -> np.ndarray:
        """Image windows of EEG.

        Parameters
        ----------
        eeg : array of shape (..., n_times, n_channels)
            EEG of any unit in the channel order of the card, at its sampling rate.
            Each window is normalized as in training.

        Returns
        -------
        array of shape (..., n_times, n_regions)
            Activity, no unit; about 1 at its largest.

        Raises
        ------
        SignalError
            The shape does not fit, or values are not finite.
        """
        return self.predict_with_probability(eeg)[0]

    def predict_with_probability(
        self, eeg: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Image windows of EEG, and say how likely each region was active.

        Parameters
        ----------
        eeg : array of shape (..., n_times, n_channels)
            As for :meth:`predict`.

        Returns
        -------
        activity : array of shape (..., n_times, n_regions)
            As of :meth:`predict`.
        probability : array of shape (..., n_regions), or None
            That a region was active at any time of the window; the paper's network
            gives none.

        Raises
        ------
        SignalError
            The shape does not fit, or values are not finite.
        ArtifactError
            The network gives values that are not finite: its weights are damaged.
        """
        import torch

        eeg = np.asarray(eeg, dtype=np.float32)
        self._check(eeg)
        windows = normalize(torch.from_numpy(eeg.reshape(-1, *eeg.shape[-2:])))
        with torch.inference_mode():
            batches = (
                self.network.image(batch.to(self.device))
                for batch in windows.split(_BATCH)
            )
            activity, probability = _collect(batches, len(windows))
        activity = activity.reshape(*eeg.shape[:-1], -1)
        checks.check_output("deepsif", activity, probability)
        if probability is not None:
            probability = probability.reshape(*eeg.shape[:-2], -1)
        return activity, probability

    def explain(self, eeg: np.ndarray) -> Explanation:
        """Show what a ``lite`` network looks at: scalp maps and their best patches.

        Where methods disagree, this tells why: a map that is there before the stimulus
        already, or one that no patch of cortex explains.

        Parameters
        ----------
        eeg : array of shape (n_times, n_channels)
            One window, as for :meth:`predict`.

        Returns
        -------
        Explanation

        Raises
        ------
        SignalError
            The shape does not fit, or values are not finite.
        MismatchError
            The network does not work with scalp maps.
        """
        import torch

        from .explanation import explain

        eeg = np.asarray(eeg, dtype=np.float32)
        self._check(eeg, any_number=False)
        return explain(self.network, normalize(torch.from_numpy(eeg)).to(self.device))

    def _check(self, eeg: np.ndarray, *, any_number: bool = True) -> None:
        one = ("n_times", len(self.card["ch_names"]))
        check_shape("eeg", eeg.shape, ("...", *one) if any_number else one)
        if not np.isfinite(eeg).all():
            msg = "eeg holds NaN or infinite values; interpolate or drop them first."
            raise SignalError(msg)

    def apply(
        self,
        evoked: mne.Evoked,
        *,
        tmin: float | None = None,
        tmax: float | None = None,
        match: str = "name",
    ) -> SourceImage:
        """Image an evoked response.

        Parameters
        ----------
        evoked : mne.Evoked
            EEG, V. It is brought to the network's channels, reference and rate, see
            :func:`deepsif_lite.recordings.prepare`.
        tmin, tmax : float, optional
            Window to image, s. By default all of it.
        match : {"name", "position"}
            How channels are matched.

        Returns
        -------
        SourceImage

        Raises
        ------
        SignalError, ChannelError
            The recording is no evoked response, or cannot be brought to the network's
            channels.
        WindowError
            The window lies outside the recording.

        Warns
        -----
        UserWarning
            The window is much longer or shorter than those of the training, no region
            is more likely active than not, or channels do not follow from each other
            as sources in the head make them.
        """
        ready = _prepared(evoked, self.head, match, self.card["sfreq"])
        _crop(ready, check_window(evoked.times, tmin, tmax))
        checks.check_length(len(ready.times))
        checks.warn_about_length(len(ready.times), self.card)
        warn_about_fit(remove_mean(ready.copy()).data.T, self.head, 2)
        activity, probability = self.predict_with_probability(ready.data.T)
        checks.warn_about_doubt(probability)
        return _as_image("deepsif", activity, ready, self.head, probability)


def _collect(batches: Iterable[tuple[Tensor, Tensor | None]], n_windows: int) -> list:
    """Gather batches in arrays made once; joining parts would take memory twice."""
    whole: list[np.ndarray | None] = []
    start = 0
    for batch in batches:
        parts = [None if part is None else part.cpu().numpy() for part in batch]
        if not whole:
            whole = [
                None if p is None else np.empty((n_windows, *p.shape[1:]), p.dtype)
                for p in parts
            ]
        for array, part in zip(whole, parts, strict=True):
            if array is not None and part is not None:
                array[start : start + len(part)] = part
        start += len(batch[0])
    return whole


def load_model(
    name_or_path: str | Path,
    *,
    head: str | HeadModel | None = None,
    transfer: bool = False,
    device: str | None = None,
) -> Imager:
    """Load a trained network with its head model.

    Parameters
    ----------
    name_or_path : str or path
        ``"lite-75"``, ``"lite-64"``, ``"lite-published-75"`` (on the authors' head,
        which must be at hand), ``"lite-75-known-head"`` (for simulations of the very
        template head, see chapter 4), or a folder of weights.
    head : str or HeadModel, optional
        By default the one named on the card.
    transfer : bool
        Transfer a ``lite`` network to a head model it was not trained for: its
        scans follow from the leadfield, and its first layer is translated, see
        :func:`deepsif_lite.network.start_from`. Chapter 3 measures what that costs;
        training on from there (``initial=``) gets it back.
    device : str, optional
        A torch device; by default the CPU.

    Returns
    -------
    Imager
        The last few networks stay in memory and are shared by all who load them, until
        their files change; make your own by ``copy.deepcopy`` before you change one.

    Raises
    ------
    FileNotFoundError
        There are no such weights.
    MismatchError
        The head model is not the one the network was trained for.
    """
    from ..network.cards import check_card, load_card

    card = load_card(name_or_path)
    head = _load_head(card["head"] if head is None else head)
    device = device or "cpu"
    if transfer:  # its card and its scans are those of the new head already
        from ..network.transfer import transferred
        from ..network.weights import load_weights

        network, card = transferred(*load_weights(name_or_path), head)
        return Imager(network.to(device).eval(), card, head, device)
    check_card(card, head)
    return Imager(shared_network(name_or_path, head, device), card, head, device)


def image(
    evoked: mne.Evoked,
    method: str = "deepsif",
    head: str | HeadModel | None = None,
    *,
    tmin: float | None = None,
    tmax: float | None = None,
    baseline: tuple[float | None, float | None] | None = None,
    match: str = "name",
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
        ``"lcmv"``.
    head : str or HeadModel, optional
        A name for :func:`deepsif_lite.load_head_model`, or a head model. By default
        that of ``model``, else ``"template-75"``. A network images with the head model
        it was trained for alone, and refuses others.
    tmin, tmax : float, optional
        Window to image, s. By default all of it. The data covariance of LCMV is
        taken from this window.
    baseline : tuple of (float or None, float or None), optional
        Times without signal, s, from which the solvers take the noise covariance
        (its diagonal), and whose mean is taken from each channel; they may lie outside
        ``tmin`` to ``tmax``. By default noise is taken as equal on all channels, and
        the mean is that of the window. Not for networks.
    match : {"name", "position"}
        How channels are matched, see :func:`deepsif_lite.recordings.prepare`.
    model : str, path or Imager, optional
        The network of ``method="deepsif"``. By default the shipped one for ``head``.
    **options
        Passed to the solver (``lambda2``, ``depth``, ``reg``, ``noise_cov``).

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

    Warns
    -----
    UserWarning
        As :meth:`Imager.apply`; of windows and probability, networks alone.

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
    check_option("method", method, METHODS)
    checks.check_options(method, model, baseline, options)
    solve = METHODS[method].solve
    if solve is None:
        imager = _find_imager(model, head)
        return imager.apply(evoked, tmin=tmin, tmax=tmax, match=match)
    head = _load_head(DEFAULT_HEAD if head is None else head)
    ready = _prepared(evoked, head, match, baseline=baseline)
    window = check_window(evoked.times, tmin, tmax)
    if baseline is not None:
        options["noise_cov"] = _baseline_covariance(ready, baseline)
    _crop(ready, window)
    if baseline is None:  # as the networks do
        checks.check_length(len(ready.times))
        remove_mean(ready)
    warn_about_fit(ready.data.T, head, 2)
    return _as_image(method, solve(ready.data.T, head, **options), ready, head)


def _find_imager(
    model: str | Path | Imager | None, head: str | HeadModel | None
) -> Imager:
    if isinstance(model, Imager):
        return model if head is None else _on_head(model, _load_head(head))
    if model is None:
        head = _load_head(DEFAULT_HEAD if head is None else head)
        model = default_network(head.name)
    return load_model(model, head=head)


def _on_head(model: Imager, head: HeadModel) -> Imager:
    """Check that a network was trained for a head model, and use that one."""
    from ..network.cards import check_card

    if head is model.head:
        return model
    check_card(model.card, head)
    return replace(model, head=head)


def _load_head(head: str | HeadModel) -> HeadModel:
    from ..head.loading import load_head_model

    return load_head_model(head) if isinstance(head, str) else head


def _prepared(
    evoked: mne.Evoked,
    head: HeadModel,
    match: str,
    sfreq: float | None = None,
    baseline: tuple | None = None,
) -> mne.Evoked:
    check_instance(evoked, "evoked", averaged=True)
    return prepare(evoked, head.info, sfreq, match=match, baseline=baseline)


def _crop(ready: mne.Evoked, window: tuple[float, float]) -> None:
    """Crop in place; resampling may have moved the last sample."""
    low, high = window
    ready.crop(max(low, ready.times[0]), min(high, ready.times[-1]), verbose="error")


def _baseline_covariance(
    ready: mne.Evoked, baseline: tuple[float | None, float | None]
) -> np.ndarray:
    from ..solvers.whitening import noise_covariance

    quiet = ready.copy()
    _crop(quiet, check_window(ready.times, *baseline, name="baseline"))
    return noise_covariance(quiet.data.T)


def _as_image(
    method: str,
    activity: np.ndarray,
    ready: mne.Evoked,
    head: HeadModel,
    probability: np.ndarray | None = None,
) -> SourceImage:
    checks.check_output(method, activity, probability)
    unit = METHODS[method].unit
    return SourceImage(activity.T, ready.times, head.cortex, method, unit, probability)
