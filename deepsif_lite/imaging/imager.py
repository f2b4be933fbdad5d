"""From EEG to a source image: one function for all methods, and trained networks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..metrics.extent import likely_regions
from ..recordings.preparation import prepare
from ..solvers.methods import SOLVERS, get_solver
from .source_image import SourceImage

if TYPE_CHECKING:
    from collections.abc import Sequence

    import mne
    from torch import Tensor, nn

    from ..head.model import HeadModel

METHODS = ("deepsif", *SOLVERS)
UNITS = {
    "deepsif": "no unit",
    "sloreta": "no unit",
    "lcmv": "multiples of the noise",
}
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
        ValueError
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
        ValueError
            The shape does not fit, or values are not finite.
        """
        import torch

        from ..signals import normalize

        eeg = np.asarray(eeg, dtype=np.float32)
        self._check(eeg)
        windows = normalize(torch.from_numpy(eeg.reshape(-1, *eeg.shape[-2:])))
        with torch.inference_mode():
            parts = [
                self.network.image(batch.to(self.device))
                for batch in windows.split(_BATCH)
            ]
        activity, probability = map(_join, zip(*parts, strict=True))
        activity = activity.reshape(*eeg.shape[:-1], -1)
        if probability is not None:
            probability = probability.reshape(*eeg.shape[:-2], -1)
        return activity, probability

    def _check(self, eeg: np.ndarray) -> None:
        n_channels = len(self.card["ch_names"])
        if eeg.ndim < 2 or eeg.shape[-1] != n_channels:
            msg = (
                f"eeg has shape {eeg.shape}; the network asks for "
                f"(..., n_times, {n_channels})."
            )
            raise ValueError(msg)
        if not np.isfinite(eeg).all():
            msg = "eeg holds NaN or infinite values; interpolate or drop them first."
            raise ValueError(msg)

    def apply(self, evoked: mne.Evoked, *, match: str = "name") -> SourceImage:
        """Image an evoked response.

        Parameters
        ----------
        evoked : mne.Evoked
            EEG, V. It is brought to the network's channels, reference and rate, see
            :func:`deepsif_lite.recordings.prepare`.
        match : {"name", "position"}
            How channels are matched.

        Returns
        -------
        SourceImage

        Raises
        ------
        ValueError
            The recording cannot be brought to the network's channels.

        Warns
        -----
        UserWarning
            The window is much longer or shorter than those of the training, or no
            region is more likely active than not.
        """
        ready = prepare(evoked, self.head.info, self.card["sfreq"], match=match)
        _warn_about_window(len(ready.times), self.card)
        activity, probability = self.predict_with_probability(ready.data.T)
        _warn_about_doubt(probability)
        return SourceImage(
            activity.T,
            ready.times,
            self.head.cortex,
            "deepsif",
            UNITS["deepsif"],
            probability,
        )


def _join(parts: Sequence[Tensor | None]) -> np.ndarray | None:
    import torch

    return None if parts[0] is None else torch.cat(parts).cpu().numpy()


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
        Carry a ``lite`` network over to a head model it was not trained for: its
        scans follow from the leadfield, and its first layer is translated, see
        :func:`deepsif_lite.network.start_from`. Chapter 3 measures what that costs;
        training on from there (``initial=``) gets it back.
    device : str, optional
        A torch device; by default the CPU.

    Returns
    -------
    Imager

    Raises
    ------
    FileNotFoundError
        There are no such weights.
    ValueError
        The head model is not the one the network was trained for.
    """
    from ..network.transfer import transferred
    from ..network.weights import check_card, load_weights

    network, card = load_weights(name_or_path)
    head = _load_head(card["head"] if head is None else head)
    if transfer:  # its card and its scans are those of the new head already
        network, card = transferred(name_or_path, head)
    else:
        check_card(card, head)
        network.set_geometry(head.leadfield, head.cortex)
    device = device or "cpu"
    return Imager(network.to(device).eval(), card, head, device)


def image(
    evoked: mne.Evoked,
    method: str = "deepsif",
    head: str | HeadModel = "template-75",
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
    method : {"deepsif", "sloreta", "lcmv"}
        The solver.
    head : str or HeadModel
        A name for :func:`deepsif_lite.load_head_model`, or a head model.
    tmin, tmax : float, optional
        Window to image, s. By default all of it. The data covariance of LCMV is
        taken from this window.
    baseline : tuple of (float or None, float or None), optional
        Times without signal, s, from which the solvers take the noise covariance
        (its diagonal). By default noise is taken as equal on all channels. The
        network does not use it.
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
    ValueError
        The method is unknown, or the recording does not fit the head model.
    """
    if method not in METHODS:
        msg = f"method is {method!r}; choose one of {METHODS}."
        raise ValueError(msg)
    if method == "deepsif":
        if options:
            msg = f"The network takes no options, got {sorted(options)}."
            raise ValueError(msg)
        imager = _find_imager(model, head)
        return imager.apply(evoked.copy().crop(tmin, tmax), match=match)
    head = _load_head(head)
    ready = prepare(evoked, head.info, match=match)
    if baseline is not None:
        options.setdefault("noise_cov", _baseline_covariance(ready, baseline))
    ready.crop(tmin, tmax)
    activity = get_solver(method)(ready.data.T, head, **options).T
    return SourceImage(activity, ready.times, head.cortex, method, UNITS[method])


def _load_head(head: str | HeadModel) -> HeadModel:
    from ..head.model import load_head_model

    return load_head_model(head) if isinstance(head, str) else head


def _find_imager(model: str | Path | Imager | None, head: str | HeadModel) -> Imager:
    if isinstance(model, Imager):
        return model
    if model is None:
        return load_model(_shipped_for(head if isinstance(head, str) else head.name))
    return load_model(model)


def _shipped_for(head_name: str) -> str:
    """Name of the shipped network for a head model, the lite one of several.

    Names are sorted, so one for a special purpose follows the plain one.
    """
    from ..network.weights import available_weights, load_card

    for name in available_weights():
        card = load_card(name)
        if (card["head"], card["network"]["kind"]) == (head_name, "lite"):
            return name
    msg = (
        f"No shipped network for head={head_name!r} (there are {available_weights()}); "
        "carry one over, model=load_model('lite-75', head=head, transfer=True), give a "
        "folder of weights, or choose another method."
    )
    raise ValueError(msg)


def _baseline_covariance(evoked: mne.Evoked, baseline: tuple) -> np.ndarray:
    from ..solvers.whitening import noise_covariance

    quiet = evoked.copy().crop(*baseline)
    return noise_covariance(quiet.data.T)


def _warn_about_window(n_times: int, card: dict) -> None:
    import warnings

    if not 0.5 <= n_times / card["n_times"] <= 2:
        warnings.warn(
            f"The window has {n_times} samples at {card['sfreq']:g} Hz; the network "
            f"was trained on {card['n_times']}. Crop the recording around its peak "
            "(evoked.crop).",
            stacklevel=3,
        )


def _warn_about_doubt(probability: np.ndarray | None) -> None:
    import warnings

    if probability is not None and not len(likely_regions(probability)):
        warnings.warn(
            "No region is more likely active than not (the surest: "
            f"{probability.max():.0%}), so the image may show mere background. Average "
            "more epochs, or crop the recording around its peak (evoked.crop).",
            stacklevel=3,
        )
