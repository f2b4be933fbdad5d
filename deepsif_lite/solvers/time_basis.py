r"""Time courses of which currents are made: from one window, or from single spikes.

FAST-IRES models currents as regions times a few time courses. The published rule
takes single spikes apart by independent component analysis, averages each component
over them, and keeps those that are strong in the spike: with q the standard deviation
in the spike over that outside, the publication chose by eye among large q. Here the
rule is automatic: those above mean plus standard deviation of q, and the largest in
any case. :func:`spike_courses` does so.

Where there is one window alone, such as an average, the solver takes its principal
components, by the same rule: those with an energy above mean plus standard deviation of
all. Several are turned into independent ones: sparseness depends on which courses
regions are weighed by, and principal components mix those of separate sources.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import WindowError, check_range, check_shape

N_COMPONENTS = 15
"""Principal components kept before independent ones are sought, as published."""


def spike_courses(
    spikes: NDArray,
    within: slice,
    *,
    n_components: int = N_COMPONENTS,
    seed: int = 0,
) -> NDArray:
    """Find the time courses of a spike from its repetitions.

    Parameters
    ----------
    spikes : array of shape (n_spikes, n_times, n_channels)
        EEG, V, each aligned at the peak.
    within : slice
        Samples of the spike; the others are background. In the publication 800 to
        1250 of 2001 at 500 Hz, with the peak near 1000.
    n_components : int
        Principal components that are kept, fewer where there are fewer channels.
    seed : int
        Of the component analysis.

    Returns
    -------
    array of shape (n_courses, n_times)
        Averages of the kept components over spikes, no unit, the one that stands out
        most from its background first. For ``time_courses`` of the solver
        ``"fast-ires"``, cut to the samples of the window.

    Raises
    ------
    SignalError
        ``spikes`` has another shape.
    WindowError
        ``within`` holds fewer than two samples, or all.
    OptionError
        ``n_components`` is not positive.
    """
    check_shape("spikes", np.shape(spikes), ("n_spikes", "n_times", "n_channels"))
    check_range("n_components", n_components, 1)
    n_spikes, n_times, n_channels = np.shape(spikes)
    inside = np.zeros(n_times, dtype=bool)
    inside[within] = True
    if not 2 <= inside.sum() < n_times - 1:
        msg = f"within={within} must hold two of {n_times} samples, and leave two."
        raise WindowError(msg)
    samples = np.asarray(spikes, dtype=float).reshape(-1, n_channels)
    samples = samples - samples.mean(axis=0)
    u, s, _ = np.linalg.svd(samples, full_matrices=False)
    rank = int((s > s[0] * np.finfo(float).eps * max(samples.shape)).sum())
    white = u[:, : min(n_components, rank)] * np.sqrt(len(samples))
    components = (white @ _unmixing(white, seed).T).reshape(n_spikes, n_times, -1)
    averages = components.mean(axis=0).T
    ratio = averages[:, inside].std(axis=1) / averages[:, ~inside].std(axis=1)
    return averages[_outstanding(ratio)]


def principal_courses(data: NDArray) -> NDArray:
    """Return the time courses that stand out in one window.

    Parameters
    ----------
    data : array of shape (n_channels, n_times)
        Whitened EEG.

    Returns
    -------
    array of shape (n_courses, n_times)
        Orthonormal.
    """
    _, values, courses = np.linalg.svd(data, full_matrices=False)
    courses = courses[_outstanding(values**2)]
    if len(courses) == 1:
        return courses
    white = np.sqrt(courses.shape[1]) * courses.T
    return orthonormal(_unmixing(white - white.mean(axis=0), seed=0) @ courses)


def orthonormal(courses: NDArray) -> NDArray:
    """Return the orthonormal courses of the same span that are nearest to those given.

    Parameters
    ----------
    courses : array of shape (n_courses, n_times)
        Scaled to one length first: only their shapes count. Linearly independent.

    Raises
    ------
    WindowError
        They are not linearly independent.
    """
    lengths = np.linalg.norm(courses, axis=1, keepdims=True)
    shapes = courses / np.where(lengths > 0, lengths, 1)
    u, s, vt = np.linalg.svd(shapes, full_matrices=False)
    if len(s) < len(courses) or s[-1] <= 1e-6 * s[0]:
        msg = (
            f"time_courses: {len(courses)} over {courses.shape[1]} samples depend on "
            "each other; drop those that others make up."
        )
        raise WindowError(msg)
    return u @ vt


def _unmixing(white: NDArray, seed: int) -> NDArray:
    """Return the matrix of extended infomax, for (n_samples, n_components)."""
    from mne import use_log_level
    from mne.preprocessing import infomax

    generator = np.random.RandomState(seed)  # MNE 1.10 takes no other
    with use_log_level("error"):
        return infomax(white, extended=True, random_state=generator)


def _outstanding(values: NDArray) -> NDArray:
    """Return which values are above mean plus standard deviation, largest first."""
    order = np.argsort(-values, kind="stable")
    above = int((values > values.mean() + values.std()).sum())
    return order[: max(above, 1)]
