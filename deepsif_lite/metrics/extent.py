"""Which regions are active: by Otsu's threshold, or by their probability."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..errors import OptionError, SignalError, check_option, check_range, check_shape

N_BINS = 100
"""Bins of the histogram that Otsu's method splits (as the authors' code)."""

MIN_DURATION = 0.016
"""Seconds above threshold that make a region active."""

MIN_SAMPLES = 8
"""The same in samples of the networks' 500 Hz."""

LIKELY = 0.5
"""Probability above which a region is more likely active than not."""

VARIANTS = ("corrected", "published")
MAPS = ("rms", "mean")
RULES = ("samples", *VARIANTS, "map", "mean", "probability")
"""How active regions are selected, see :func:`select_regions`."""

_ROUNDING = 1e-6
"""A mean smaller than this share of the root mean square is rounding error."""


def otsu_threshold(magnitude: NDArray, n_bins: int = N_BINS) -> float:
    """Split values into two classes by Otsu's method.

    Equal to ``skimage.filters.threshold_otsu(magnitude, nbins=n_bins)`` up to the
    rounding of values that lie on the edge of a bin; the histogram is counted by
    a quicker way, because scoring calls this once a sample.

    Parameters
    ----------
    magnitude : array of any shape
        Values, finite.
    n_bins : int
        Bins of the histogram between the smallest and the largest value.

    Returns
    -------
    float
        The threshold, in the unit of ``magnitude``. The largest value itself where
        all values are equal, so that nothing lies above it.

    Raises
    ------
    SignalError
        ``magnitude`` holds values that are not finite.

    References
    ----------
    Otsu N (1979). IEEE Transactions on Systems, Man, and Cybernetics 9, 62-66.

    Examples
    --------
    >>> import numpy as np
    >>> from deepsif_lite.metrics import otsu_threshold
    >>> values = np.array([0.0, 0.1, 0.2, 0.9, 1.0])
    >>> values > otsu_threshold(values)
    array([False, False, False,  True,  True])
    """
    low, high = float(magnitude.min()), float(magnitude.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        msg = "magnitude holds NaN or infinite values; remove them before Otsu."
        raise SignalError(msg)
    if low == high:
        return high
    width = (high - low) / n_bins
    bins = magnitude.ravel() - low
    bins *= 1 / width  # in place: new memory of this size takes longer than the product
    counts = np.bincount(bins.astype(np.intp), minlength=n_bins)
    counts[n_bins - 1] += counts[n_bins:].sum()  # the largest value closes the last bin
    centers = low + width * (np.arange(n_bins) + 0.5)
    return float(centers[_best_split(counts[:n_bins], centers)])


def _best_split(counts: NDArray, centers: NDArray) -> int:
    """Return the last bin of the lower class: the largest variance between classes.

    Written out, because networks are scored while they train on machines that have
    little beyond NumPy.
    """
    lower, mass = np.cumsum(counts)[:-1], np.cumsum(counts * centers)
    upper, gap = counts.sum() - lower, mass[-1] * lower - mass[:-1] * counts.sum()
    return int(np.argmax(gap**2 / (lower * upper)))


def active_regions(
    activity: NDArray,
    *,
    variant: str = "corrected",
    min_samples: int = MIN_SAMPLES,
    n_bins: int = N_BINS,
) -> NDArray:
    """Select the regions whose activity stays above Otsu's threshold.

    The threshold splits the magnitudes of all regions and samples. A region is
    active if it lies above it in at least ``min_samples`` samples.

    Parameters
    ----------
    activity : array of shape (n_times, n_regions)
        Source activity, any unit. One map is an array of shape (1, n_regions) with
        ``min_samples=1``.
    variant : {"corrected", "published"}
        ``"published"`` does as the authors' code: the threshold is found on
        ``z = (abs(activity) - min) / max`` and compared with the raw signed activity,
        so negative activity never counts and the selection depends on the scale of
        the output. ``"corrected"`` compares the magnitude on the scale on which
        the threshold was found.
    min_samples : int
        Samples above threshold that make a region active.
    n_bins : int
        Bins of the histogram.

    Returns
    -------
    array of int
        Region indices in ascending order.

    Raises
    ------
    OptionError
        The variant is unknown, or ``min_samples`` does not fit.
    SignalError
        The shape does not fit, or values are not finite.

    References
    ----------
    Sun et al. (2022), Methods; the authors' ``get_otsu_regions``.

    Examples
    --------
    >>> import numpy as np
    >>> from deepsif_lite.metrics import active_regions
    >>> activity = np.zeros((100, 5))
    >>> activity[40:60, 2] = 1.0
    >>> active_regions(activity)
    array([2])
    """
    return Selector(activity, n_bins=n_bins).active(variant, min_samples)


def activity_map(activity: NDArray, how: str = "rms") -> NDArray:
    """Reduce the activity of a window to one value a region.

    Parameters
    ----------
    activity : array of shape (n_times, n_regions)
        Source activity, any unit.
    how : {"rms", "mean"}
        Root mean square over the window, or magnitude of the mean (the paper's map of
        a patient; waves of both signs cancel in it).

    Returns
    -------
    array of shape (n_regions,)
        Not negative, in the unit of ``activity``.

    Raises
    ------
    OptionError
        ``how`` is unknown.
    SignalError
        The mean over the window is nothing but rounding error, as a linear method
        gives for EEG whose mean over the window is zero.
    """
    check_option("how", how, MAPS)
    activity = np.asarray(activity)
    rms = np.sqrt(np.mean(np.square(activity), axis=0))
    if how == "rms":
        return rms
    mean = np.abs(activity.mean(axis=0))
    if 0 < rms.max() and mean.max() < _ROUNDING * rms.max():
        msg = (
            f"how='mean': the mean over {len(activity)} samples is rounding error "
            f"({mean.max() / rms.max():.0e} of the root mean square); use how='rms' or "
            "a shorter window."
        )
        raise SignalError(msg)
    return mean


def select_regions(
    activity: NDArray,
    rule: str | float = "samples",
    *,
    probability: NDArray | None = None,
    threshold: float = LIKELY,
    variant: str = "corrected",
    min_samples: int = MIN_SAMPLES,
) -> NDArray:
    """Select the active regions by any rule.

    Parameters
    ----------
    activity : array of shape (n_times, n_regions)
        Source activity of the window, any unit.
    rule : {"samples", "corrected", "published", "map", "mean", "probability"} | float
        ``"samples"`` splits all samples by Otsu's threshold, see
        :func:`active_regions`; ``"corrected"`` and ``"published"`` do with that
        ``variant``. ``"map"`` and ``"mean"`` split the map of the window, root mean
        square or magnitude of the mean, see :func:`activity_map`. ``"probability"``
        takes the regions above ``threshold``, a number those above that number.
    probability : array of shape (n_regions,) | None
        That a region was active at any time of the window.
    threshold : float
        With ``"probability"``.
    variant : {"corrected", "published"}
        With ``"samples"``, ``"map"`` and ``"mean"``.
    min_samples : int
        Samples above threshold, for the rules that look at samples.

    Returns
    -------
    array of int
        Region indices in ascending order.

    Raises
    ------
    OptionError
        The rule is unknown, or needs the probability that is not there.
    """
    return Selector(activity, probability).select(
        rule, threshold=threshold, variant=variant, min_samples=min_samples
    )


class Selector:
    """Selects the active regions of one image by rule after rule.

    What rules share, the magnitudes and Otsu's threshold of them, is computed once.

    Parameters
    ----------
    activity : array of shape (n_times, n_regions)
        Source activity of the window, any unit.
    probability : array of shape (n_regions,) | None
        That a region was active at any time of the window.
    n_bins : int
        Bins of the histogram that Otsu's method splits.
    """

    def __init__(
        self,
        activity: NDArray,
        probability: NDArray | None = None,
        n_bins: int = N_BINS,
    ) -> None:
        self.activity, self.probability = np.asarray(activity), probability
        self._n_bins = n_bins

    @cached_property
    def _magnitude(self) -> NDArray:
        return np.abs(self.activity)

    @cached_property
    def _threshold(self) -> float:
        return otsu_threshold(self._magnitude, self._n_bins)

    def select(
        self,
        rule: str | float,
        *,
        threshold: float = LIKELY,
        variant: str = "corrected",
        min_samples: int = MIN_SAMPLES,
    ) -> NDArray:
        """Return the regions of a rule, see :func:`select_regions`."""
        if needs_probability(rule):
            if self.probability is None:
                msg = f"rule={rule!r} needs a probability; choose another rule."
                raise OptionError(msg)
            chosen = threshold if rule == "probability" else float(rule)
            check_range("threshold", chosen, 0, 1)
            return likely_regions(self.probability, chosen)
        check_option("rule", rule, RULES)
        if rule in ("map", "mean"):
            strength = activity_map(self.activity, "rms" if rule == "map" else "mean")
            return active_regions(strength[None], variant=variant, min_samples=1)
        return self.active(str(rule) if rule in VARIANTS else variant, min_samples)

    def active(self, variant: str, min_samples: int) -> NDArray:
        """Return the regions above Otsu's threshold, see :func:`active_regions`."""
        _check(self.activity, variant, min_samples)
        threshold = self._threshold
        if variant == "corrected":
            above = self._magnitude > threshold
        else:
            low, high = float(self._magnitude.min()), float(self._magnitude.max())
            if high == 0:
                return np.array([], dtype=int)
            above = self.activity > (threshold - low) / high
        return np.flatnonzero(above.sum(axis=0, dtype=np.int32) >= min_samples)


def needs_probability(rule: str | float) -> bool:
    """Return whether a rule of :func:`select_regions` looks at the probability."""
    return rule == "probability" or not isinstance(rule, str)


def likely_regions(probability: NDArray, threshold: float = LIKELY) -> NDArray:
    """Select the regions that are more likely active than not.

    Parameters
    ----------
    probability : array of shape (n_regions,)
        Of a network that gives one.
    threshold : float
        Higher makes fewer regions active: precision against recall.

    Returns
    -------
    array of int
        Region indices in ascending order.

    Examples
    --------
    >>> import numpy as np
    >>> from deepsif_lite.metrics import likely_regions
    >>> likely_regions(np.array([0.1, 0.8, 0.4, 0.6]))
    array([1, 3])
    """
    return np.flatnonzero(np.asarray(probability) > threshold)


def _check(activity: NDArray, variant: str, min_samples: int) -> None:
    check_shape("activity", activity.shape, ("n_times", "n_regions"))
    check_option("variant", variant, VARIANTS)
    if not 1 <= min_samples <= len(activity):
        msg = (
            f"min_samples={min_samples}, but activity has {len(activity)} samples; use "
            "a longer window or fewer samples."
        )
        raise OptionError(msg)
