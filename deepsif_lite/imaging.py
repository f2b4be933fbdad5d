"""From EEG to a source image: one function, one model, one result."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .extent import active_regions, likely_regions
from .preparation import prepare
from .solvers import SOLVERS, get_solver

if TYPE_CHECKING:
    from collections.abc import Sequence

    import mne
    import pandas as pd
    from matplotlib.figure import Figure
    from torch import Tensor, nn

    from .cortex import Cortex
    from .head import HeadModel

METHODS = ("deepsif", *SOLVERS)
UNITS = {
    "deepsif": "no unit",
    "sloreta": "no unit",
    "lcmv": "multiples of the noise",
}
MIN_DURATION = 0.016
"""Seconds above threshold that make a region active (8 samples at 500 Hz)."""

_BATCH = 32  # windows at a time; bounds the memory of predict


class Peak(NamedTuple):
    """Where and when a source image is strongest."""

    region: int
    time: float
    value: float


@dataclass(frozen=True, eq=False)
class SourceImage:
    """Activity of the cortex over time.

    Attributes
    ----------
    activity : array of shape (n_regions, n_times)
        Signed activity. It has no unit that is common to the methods; see ``unit``.
    times : array of shape (n_times,)
        Seconds.
    cortex : Cortex
        The regions.
    method : str
        ``"deepsif"``, ``"sloreta"``, ``"lcmv"``.
    unit : str
        What a value means.
    probability : array of shape (n_regions,), optional
        Probability that each region was active at any time of the window that was
        imaged, if the method gives one. It is that of the simulated brains: chapter
        4 shows how well it is calibrated there.
    """

    activity: np.ndarray
    times: np.ndarray
    cortex: Cortex
    method: str
    unit: str = field(default="no unit")
    probability: np.ndarray | None = None

    @property
    def sfreq(self) -> float:
        """Samples a second, Hz (1 where there is a single sample)."""
        if len(self.times) < 2:
            return 1.0
        return (len(self.times) - 1) / (self.times[-1] - self.times[0])

    @property
    def peak(self) -> Peak:
        """Region, time (s) and value of the largest magnitude."""
        region, sample = np.unravel_index(
            np.abs(self.activity).argmax(), self.activity.shape
        )
        value = self.activity[region, sample]
        return Peak(int(region), float(self.times[sample]), float(value))

    def map(self, tmin: float | None = None, tmax: float | None = None) -> np.ndarray:
        """Return the magnitude of the mean over a window, shape (n_regions,)."""
        return np.abs(self._window(tmin, tmax).mean(axis=1))

    def strongest(
        self, n: int = 10, tmin: float | None = None, tmax: float | None = None
    ) -> np.ndarray:
        """Return the ``n`` regions that :meth:`map` puts first, strongest first."""
        return np.argsort(-self.map(tmin, tmax), kind="stable")[:n]

    def extent(
        self,
        tmin: float | None = None,
        tmax: float | None = None,
        *,
        of: str = "samples",
        variant: str = "corrected",
        min_duration: float = MIN_DURATION,
    ) -> np.ndarray:
        """Select the active regions, by Otsu's threshold or by their probability.

        Parameters
        ----------
        tmin, tmax : float, optional
            Window, s. By default all times.
        of : {"samples", "map", "probability"}
            ``"samples"`` thresholds all samples of the window and asks a region to
            stay above for ``min_duration``, as the paper does in simulations;
            ``"map"`` thresholds the mean over the window, as it does in patients.
            ``"probability"`` takes the regions that were more likely active than
            not, at any time of the window that was imaged: a weak source beside a
            strong one is not lost to a common threshold (chapter 4 compares).
        variant : {"corrected", "published"}
            See :func:`deepsif_lite.extent.active_regions`.
        min_duration : float
            Seconds above threshold, with ``of="samples"``.

        Returns
        -------
        array of int
            Region indices in ascending order.

        Raises
        ------
        ValueError
            The window holds no sample, or fewer than ``min_duration``; or the image
            has no probability, or one of a longer window than asked for.
        """
        if of == "probability":
            return self._likely(tmin, tmax)
        if of == "map":
            return active_regions(
                self.map(tmin, tmax)[None], variant=variant, min_samples=1
            )
        if of != "samples":
            msg = f"of is {of!r}; choose 'samples', 'map' or 'probability'."
            raise ValueError(msg)
        return active_regions(
            self._window(tmin, tmax).T,
            variant=variant,
            min_samples=max(1, round(min_duration * self.sfreq)),
        )

    def _likely(self, tmin: float | None, tmax: float | None) -> np.ndarray:
        if self.probability is None:
            msg = f"of='probability': a {self.method!r} image has none; use 'samples'."
            raise ValueError(msg)
        if not self._inside(tmin, tmax).all():
            msg = (
                f"of='probability' is that of all times, not of tmin={tmin} to "
                f"tmax={tmax}; crop the recording before imaging it."
            )
            raise ValueError(msg)
        return likely_regions(self.probability)

    def crop(self, tmin: float | None = None, tmax: float | None = None) -> SourceImage:
        """Return the part between two times (s).

        The probability stays that of the whole window.
        """
        return replace(
            self,
            activity=self._window(tmin, tmax),
            times=self.times[self._inside(tmin, tmax)],
        )

    def to_stc(self) -> mne.SourceEstimate:
        """Spread the regions over the fsaverage5 vertices.

        Returns
        -------
        mne.SourceEstimate
            Subject ``"fsaverage"``, whose first 10,242 vertices a hemisphere are
            those of fsaverage5. The values have no unit (MNE would print A m).
        """
        import mne

        half = self.cortex.n_left
        vertices = [np.arange(half), np.arange(len(self.cortex.vertices) - half)]
        return mne.SourceEstimate(
            self.cortex.to_vertices(self.activity),
            vertices,
            tmin=float(self.times[0]),
            tstep=1 / self.sfreq,
            subject="fsaverage",
            verbose=False,
        )

    def to_table(
        self,
        tmin: float | None = None,
        tmax: float | None = None,
        *,
        of: str = "samples",
    ) -> pd.DataFrame:
        """Return one row a region, strongest first.

        Parameters
        ----------
        tmin, tmax : float, optional
            Window, s. By default all times.
        of : {"samples", "map", "probability"}
            How the extent is found, see :meth:`extent`.

        Returns
        -------
        DataFrame
            Columns ``region``, ``hemisphere``, ``x_mm``, ``y_mm``, ``z_mm``
            (centroid, fsaverage RAS), ``area_mm2``, ``peak`` (signed value of
            largest magnitude), ``peak_time_s``, ``in_extent``, and ``probability``
            if there is one.
        """
        import pandas as pd

        part = self.crop(tmin, tmax)
        sample = np.abs(part.activity).argmax(axis=1)
        regions = np.arange(self.cortex.n_regions)
        peak = part.activity[regions, sample]
        centroids = 1e3 * self.cortex.centroids
        table = pd.DataFrame(
            {
                "region": regions,
                "hemisphere": self.cortex.hemisphere,
                **dict(zip(("x_mm", "y_mm", "z_mm"), centroids.T, strict=True)),
                "area_mm2": 1e6 * self.cortex.areas,
                "peak": peak,
                "peak_time_s": part.times[sample],
                "in_extent": np.isin(regions, part.extent(of=of)),
            }
        )
        if self.probability is not None:
            table["probability"] = self.probability
        order = np.argsort(-np.abs(peak), kind="stable")
        return table.iloc[order].reset_index(drop=True)

    def plot(
        self, tmin: float | None = None, tmax: float | None = None, **options
    ) -> tuple[Figure, np.ndarray]:
        """Draw :meth:`map` on the cortex with the extent outlined.

        Parameters
        ----------
        tmin, tmax : float, optional
            Window, s. By default the 20 ms around the peak.
        **options
            Passed to :func:`deepsif_lite.figures.plot_cortex`.

        Returns
        -------
        fig, axes
        """
        from .figures import method_name, plot_cortex

        if tmin is None and tmax is None:
            tmin, tmax = self.peak.time - 0.01, self.peak.time + 0.01
        options.setdefault("label", f"{method_name(self.method)}\n({self.unit})")
        options.setdefault("outlines", {"extent": self.extent(tmin, tmax, of="map")})
        return plot_cortex(self.map(tmin, tmax), self.cortex, **options)

    def _inside(self, tmin: float | None, tmax: float | None) -> np.ndarray:
        slack = 1e-9  # times are rounded
        low = self.times[0] if tmin is None else tmin
        high = self.times[-1] if tmax is None else tmax
        inside = (self.times >= low - slack) & (self.times <= high + slack)
        if not inside.any():
            msg = (
                f"No sample between tmin={low} and tmax={high} s; times run from "
                f"{self.times[0]:.3f} to {self.times[-1]:.3f} s."
            )
            raise ValueError(msg)
        return inside

    def _window(self, tmin: float | None, tmax: float | None) -> np.ndarray:
        return self.activity[:, self._inside(tmin, tmax)]


@dataclass(frozen=True, eq=False)
class Imager:
    """A trained network with the head model it was trained for.

    Attributes
    ----------
    network : torch.nn.Module
        Maps normalised EEG (batch, n_times, n_channels) to activity
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
            Each window is normalised as in training.

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

        from .synthesis import normalise

        eeg = np.asarray(eeg, dtype=np.float32)
        self._check(eeg)
        windows = normalise(torch.from_numpy(eeg.reshape(-1, *eeg.shape[-2:])))
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
            :func:`deepsif_lite.preparation.prepare`.
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
            The window is much longer or shorter than those of the training.
        """
        ready = prepare(evoked, self.head.info, self.card["sfreq"], match=match)
        _warn_about_window(len(ready.times), self.card)
        activity, probability = self.predict_with_probability(ready.data.T)
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
        which must be at hand), or a folder of weights.
    head : str or HeadModel, optional
        By default the one named on the card.
    transfer : bool
        Carry a ``lite`` network over to a head model it was not trained for: its
        scans follow from the leadfield, and its first layer is translated, see
        :func:`deepsif_lite.transfer.start_from`. Chapter 3 measures what that costs;
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
    from .transfer import transferred
    from .weights import check_card, load_weights

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
        How channels are matched, see :func:`deepsif_lite.preparation.prepare`.
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
    from .head import load_head_model

    return load_head_model(head) if isinstance(head, str) else head


def _find_imager(model: str | Path | Imager | None, head: str | HeadModel) -> Imager:
    if isinstance(model, Imager):
        return model
    if model is None:
        return load_model(_shipped_for(head if isinstance(head, str) else head.name))
    return load_model(model)


def _shipped_for(head_name: str) -> str:
    """Name of the shipped network for a head model, the lite one of several."""
    from .weights import available_weights, load_card

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
    from .solvers.whitening import noise_covariance

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
