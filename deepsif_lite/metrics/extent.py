"""Which regions are active: by Otsu's threshold, or by their probability."""

from __future__ import annotations

import numpy as np

N_BINS = 100
"""Bins of the histogram that Otsu's method splits (as the authors' code)."""

MIN_SAMPLES = 8
"""Samples above threshold that make a region active (16 ms at 500 Hz)."""

VARIANTS = ("corrected", "published")


def otsu_threshold(magnitude: np.ndarray, n_bins: int = N_BINS) -> float:
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
    ValueError
        ``magnitude`` holds values that are not finite.

    References
    ----------
    Otsu N (1979). IEEE Transactions on Systems, Man, and Cybernetics 9, 62-66.
    """
    low, high = float(magnitude.min()), float(magnitude.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        msg = "magnitude holds NaN or infinite values; remove them before Otsu."
        raise ValueError(msg)
    if low == high:
        return high
    width = (high - low) / n_bins
    bins = ((magnitude.ravel() - low) * (1 / width)).astype(np.intp)
    counts = np.bincount(bins, minlength=n_bins)
    counts[n_bins - 1] += counts[n_bins:].sum()  # the largest value closes the last bin
    centers = low + width * (np.arange(n_bins) + 0.5)
    return float(centers[_best_split(counts[:n_bins], centers)])


def _best_split(counts: np.ndarray, centers: np.ndarray) -> int:
    """Return the last bin of the lower class: the largest variance between classes.

    Written out, because networks are scored while they train on machines that have
    little beyond NumPy.
    """
    lower, mass = np.cumsum(counts)[:-1], np.cumsum(counts * centers)
    upper, gap = counts.sum() - lower, mass[-1] * lower - mass[:-1] * counts.sum()
    return int(np.argmax(gap**2 / (lower * upper)))


def active_regions(
    activity: np.ndarray,
    *,
    variant: str = "corrected",
    min_samples: int = MIN_SAMPLES,
    n_bins: int = N_BINS,
) -> np.ndarray:
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
        z = (|activity| - min) / max and compared with the raw signed activity, so
        negative activity never counts and the selection depends on the scale of
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
    ValueError
        The shape, the variant or ``min_samples`` does not fit, or values are not
        finite.

    References
    ----------
    Sun et al. (2022), Methods; the authors' ``get_otsu_regions``.
    """
    activity = np.asarray(activity)
    _check(activity, variant, min_samples)
    magnitude = np.abs(activity)
    threshold = otsu_threshold(magnitude, n_bins)
    if variant == "published":
        low, high = float(magnitude.min()), float(magnitude.max())
        if high == 0:
            return np.array([], dtype=int)
        above = activity > (threshold - low) / high
    else:
        above = magnitude > threshold
    return np.flatnonzero(np.count_nonzero(above, axis=0) >= min_samples)


def likely_regions(probability: np.ndarray, threshold: float = 0.5) -> np.ndarray:
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
    """
    return np.flatnonzero(np.asarray(probability) > threshold)


def _check(activity: np.ndarray, variant: str, min_samples: int) -> None:
    if activity.ndim != 2:
        msg = f"activity must be (n_times, n_regions), got shape {activity.shape}."
        raise ValueError(msg)
    if variant not in VARIANTS:
        msg = f"variant is {variant!r}; choose one of {VARIANTS}."
        raise ValueError(msg)
    if not 1 <= min_samples <= len(activity):
        msg = (
            f"min_samples is {min_samples}, but activity has {len(activity)} samples; "
            "use a longer window or fewer samples."
        )
        raise ValueError(msg)
