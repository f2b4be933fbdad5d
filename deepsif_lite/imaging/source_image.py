"""What every method returns: activity of the cortex over time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..metrics.extent import active_regions, likely_regions

if TYPE_CHECKING:
    import mne
    import pandas as pd
    from matplotlib.figure import Figure

    from ..cortex.surface import Cortex

MIN_DURATION = 0.016
"""Seconds above threshold that make a region active (8 samples at 500 Hz)."""


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
        threshold: float = 0.5,
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
            ``"probability"`` takes the regions that were likely active
            at any time of the window that was imaged: a weak source beside a
            strong one is not lost to a common threshold (chapter 4 compares).
        variant : {"corrected", "published"}
            See :func:`deepsif_lite.metrics.active_regions`.
        min_duration : float
            Seconds above threshold, with ``of="samples"``.
        threshold : float
            With ``of="probability"``: regions with a higher one are taken. A lower
            threshold finds more of a source and more that is none (chapter 4 shows
            how much).

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
            return self._likely(tmin, tmax, threshold)
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

    def _likely(
        self, tmin: float | None, tmax: float | None, threshold: float
    ) -> np.ndarray:
        if self.probability is None:
            msg = f"of='probability': a {self.method!r} image has none; use 'samples'."
            raise ValueError(msg)
        if not self._inside(tmin, tmax).all():
            msg = (
                f"of='probability' is that of all times, not of tmin={tmin} to "
                f"tmax={tmax}; crop the recording before imaging it."
            )
            raise ValueError(msg)
        return likely_regions(self.probability, threshold)

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
        from ..figures import method_name, plot_cortex

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
