"""What every method returns: activity of the cortex over time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import OptionError, WindowError, check_option
from ..metrics.extent import (
    LIKELY,
    MIN_DURATION,
    RULES,
    activity_map,
    needs_probability,
    select_regions,
)
from ..recordings.windows import check_window, inside
from .over_time import probability_over_time

if TYPE_CHECKING:
    import mne
    import pandas as pd
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ..cortex.surface import Cortex
    from .evidence import Evidence
    from .trust import Trust

_IN_MNI = ("mni_x_mm", "mni_y_mm", "mni_z_mm")
_AROUND_PEAK = 0.01  # s before and after the peak that plot shows


class Peak(NamedTuple):
    """Where and when (s) a source image is strongest, and its signed value there."""

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
        A name of :data:`deepsif_lite.solvers.METHODS`.
    unit : str
        What a value means.
    probability : array of shape (n_regions,) | None
        Probability that each region was active at any time of the window that was
        imaged, if the method gives one. Of recordings it takes into account that no
        model computes a person's head, see :class:`BetaCalibration`.
    evidence : Evidence | Trust | None
        The window behind it, or what was found there; see :attr:`trust`.
    """

    activity: NDArray
    times: NDArray
    cortex: Cortex
    method: str
    unit: str = field(default="no unit")
    probability: NDArray | None = None
    evidence: Evidence | Trust | None = field(default=None, repr=False)

    @cached_property
    def trust(self) -> Trust | None:
        """How far the image can be trusted; None where it was not made of a recording.

        It is that of the whole window that was imaged. Printed, it is a table.
        """
        from .trust import Trust, weigh

        if self.evidence is None or isinstance(self.evidence, Trust):
            return self.evidence
        return weigh(self, self.evidence)

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

    def map(
        self,
        tmin: float | None = None,
        tmax: float | None = None,
        *,
        how: str = "rms",
    ) -> NDArray:
        """Return one value a region: the root mean square over a window.

        Parameters
        ----------
        tmin, tmax : float | None
            Window, s. By default all times.
        how : {"rms", "mean"}
            ``"mean"`` for the magnitude of the mean, as the paper does in patients,
            see :func:`deepsif_lite.metrics.activity_map`.

        Returns
        -------
        array of shape (n_regions,)
        """
        return activity_map(self._window(tmin, tmax).T, how)

    def strongest(
        self, n: int = 10, tmin: float | None = None, tmax: float | None = None
    ) -> NDArray:
        """Return the ``n`` regions that :meth:`map` puts first, strongest first."""
        return np.argsort(-self.map(tmin, tmax), kind="stable")[:n]

    def center(
        self, n: int = 10, tmin: float | None = None, tmax: float | None = None
    ) -> NDArray:
        """Return where the ``n`` strongest regions lie, weighted by strength.

        Parameters
        ----------
        n : int
            Regions, see :meth:`strongest`.
        tmin, tmax : float | None
            Window, s. By default all times.

        Returns
        -------
        array of shape (3,)
            fsaverage RAS, m. Between the hemispheres where both hold strong regions;
            NaN where no region is active, as sparse methods leave windows.
        """
        top = self.strongest(n, tmin, tmax)
        strength = self.map(tmin, tmax)[top]
        if not strength.any():
            return np.full(3, np.nan)
        return np.average(self.cortex.centroids[top], axis=0, weights=strength)

    def share_in(
        self,
        regions: NDArray,
        tmin: float | None = None,
        tmax: float | None = None,
        *,
        n: int | None = None,
    ) -> float:
        """Return which share of the image lies in a set of regions.

        Parameters
        ----------
        regions : array of int
            Region indices, such as those of a Brodmann area.
        tmin, tmax : float | None
            Window, s. By default all times.
        n : int | None
            Count among the ``n`` strongest regions. By default the whole
            :meth:`map` counts, each region by its value times its area.

        Returns
        -------
        float
            Between 0 and 1; NaN where no region is active.
        """
        weight = self.map(tmin, tmax) * self.cortex.areas
        if not weight.any():
            return float("nan")
        if n is not None:
            return float(np.isin(self.strongest(n, tmin, tmax), regions).mean())
        return float(weight[np.unique(regions)].sum() / weight.sum())

    def extent(
        self,
        tmin: float | None = None,
        tmax: float | None = None,
        *,
        of: str | float = "samples",
        variant: str = "corrected",
        min_duration: float = MIN_DURATION,
        threshold: float = LIKELY,
    ) -> NDArray:
        """Select the active regions, by Otsu's threshold or by their probability.

        Parameters
        ----------
        tmin, tmax : float | None
            Window, s. By default all times.
        of : {"samples", "map", "mean", "probability"} | float
            ``"samples"`` thresholds all samples of the window and asks a region to
            stay above for ``min_duration``, as the paper does in simulations;
            ``"map"`` thresholds the root mean square over the window, ``"mean"`` the
            magnitude of the mean over it, as the paper does in patients.
            ``"probability"`` takes the regions that were likely active
            at any time of the window that was imaged: a weak source beside a
            strong one is not lost to a common threshold (chapter 4 compares). Any
            other rule of :func:`deepsif_lite.metrics.select_regions` may be given.
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
        OptionError
            The rule is unknown, the window shorter than ``min_duration``, or the image
            has no probability.
        WindowError
            No part of the window lies within the image, or the probability is that of
            a longer one.
        """
        if needs_probability(of):
            self._known_probability(of, tmin, tmax)
        else:
            check_option("of", of, RULES)
        return select_regions(
            self._window(tmin, tmax).T,
            of,
            probability=self.probability,
            threshold=threshold,
            variant=variant,
            min_samples=max(1, round(min_duration * self.sfreq)),
        )

    def probability_over_time(self) -> NDArray:
        """Return the probability that each region is active at each time.

        Active: at half of its own peak in the window, or above. How true that is was
        measured (``benchmarks/calibration.py``, "per time"). Ask before :meth:`crop`.

        Returns
        -------
        array of shape (n_regions, n_times)

        Raises
        ------
        OptionError
            The image has no probability.
        """
        probability = self._known_probability("probability", None, None)
        return probability_over_time(self.activity, probability)

    def _known_probability(
        self, of: str | float, tmin: float | None, tmax: float | None
    ) -> NDArray:
        if self.probability is None:
            msg = (
                f"of={of!r}: a {self.method!r} image has no probability; use 'samples'."
            )
            raise OptionError(msg)
        if not self._inside(tmin, tmax).all():
            msg = (
                f"of={of!r} is that of all times, not of tmin={tmin} to tmax={tmax}; "
                "crop the recording before imaging it."
            )
            raise WindowError(msg)
        return self.probability

    def crop(self, tmin: float | None = None, tmax: float | None = None) -> SourceImage:
        """Return the part between two times (s); probability and trust are the whole's."""
        return replace(
            self,
            activity=self._window(tmin, tmax),
            times=self.times[self._inside(tmin, tmax)],
            evidence=self.trust,
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
        of: str | float = "samples",
    ) -> pd.DataFrame:
        """Return one row a region, strongest first.

        Parameters
        ----------
        tmin, tmax : float | None
            Window, s. By default all times.
        of : {"samples", "map", "mean", "probability"} | float
            How the extent is found, see :meth:`extent`.

        Returns
        -------
        DataFrame
            Columns ``region``, ``hemisphere``, ``atlas`` (Brodmann area, see
            :func:`deepsif_lite.cortex.area_names`), ``x_mm``, ``y_mm``, ``z_mm``
            (centroid, fsaverage RAS), ``mni_x_mm``, ``mni_y_mm``, ``mni_z_mm`` (the
            same in MNI152), ``area_mm2``, ``peak`` (signed value of largest
            magnitude), ``peak_time_s``, ``in_extent``, and ``probability`` if there is
            one.
        """
        import pandas as pd

        from ..cortex.brodmann import area_names, mni_coordinates

        part = self.crop(tmin, tmax)
        sample = np.abs(part.activity).argmax(axis=1)
        regions = np.arange(self.cortex.n_regions)
        peak = part.activity[regions, sample]
        centroids = 1e3 * self.cortex.centroids
        in_mni = 1e3 * mni_coordinates(self.cortex.centroids)
        table = pd.DataFrame(
            {
                "region": regions,
                "hemisphere": self.cortex.hemisphere,
                "atlas": area_names(self.cortex),
                **dict(zip(("x_mm", "y_mm", "z_mm"), centroids.T, strict=True)),
                **dict(zip(_IN_MNI, in_mni.T, strict=True)),
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
    ) -> tuple[Figure, NDArray]:
        """Draw :meth:`map` on the cortex with the extent outlined.

        Parameters
        ----------
        tmin, tmax : float | None
            Window, s. By default the 20 ms around the peak.
        **options
            Passed to :func:`deepsif_lite.figures.plot_cortex`.

        Returns
        -------
        fig, axes
        """
        from ..figures.cortex_maps import plot_cortex
        from ..figures.style import method_name

        if tmin is None and tmax is None:
            tmin, tmax = self.peak.time - _AROUND_PEAK, self.peak.time + _AROUND_PEAK
        options.setdefault("label", f"{method_name(self.method)}\n({self.unit})")
        options.setdefault("outlines", {"extent": self.extent(tmin, tmax, of="map")})
        return plot_cortex(self.map(tmin, tmax), self.cortex, **options)

    def _inside(self, tmin: float | None, tmax: float | None) -> NDArray:
        window = check_window(self.times, tmin, tmax, partly=True)
        return inside(self.times, *window)

    def _window(self, tmin: float | None, tmax: float | None) -> NDArray:
        return self.activity[:, self._inside(tmin, tmax)]
