"""Evoked responses of virtual subjects, their sources known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import mne

    from ..head.model import HeadModel

_RESPONSE = 10e-6  # V, largest value of a virtual evoked response


def virtual_response(
    head: HeadModel,
    place: tuple[float, float, float],
    *,
    latency: float,
    radius: float = 0.015,
    noise: float = 0.1,
    seed: int = 0,
) -> mne.Evoked:
    """Make an evoked response of a virtual subject, its source known.

    It stands in for a published recording that cannot be reached.

    Parameters
    ----------
    head : HeadModel
        Electrodes and leadfield.
    place : tuple of float
        Center of the source, m, fsaverage RAS. The source is every region of that
        hemisphere within ``radius``, and at least the nearest one.
    latency : float
        Time of the peak, s after the stimulus at 0.
    radius : float
        Extent of the source, m.
    noise : float
        White noise, standard deviation over the response's largest value.
    seed : int
        Of the noise.

    Returns
    -------
    mne.Evoked
        From -0.2 to 0.5 s at 500 Hz, V.
    """
    import mne

    cortex, sfreq = head.cortex, head.info["sfreq"]
    apart = np.linalg.norm(cortex.centroids - np.asarray(place), axis=1)
    side = cortex.hemisphere == cortex.hemisphere[apart.argmin()]
    source = np.flatnonzero(side & (apart <= max(radius, apart.min())))
    times = np.arange(round(-0.2 * sfreq), round(0.5 * sfreq)) / sfreq
    # A positive wave of 20 ms, then a broader one the other way.
    course = np.exp(-(((times - latency) / 0.02) ** 2) / 2)
    course -= 0.6 * np.exp(-(((times - latency - 0.08) / 0.04) ** 2) / 2)
    data = np.outer(head.leadfield[:, source].sum(axis=1), course)
    data *= _RESPONSE / np.abs(data).max()
    rng = np.random.default_rng(seed)
    data += noise * _RESPONSE * rng.standard_normal(data.shape)
    comment = "virtual response"
    return mne.EvokedArray(
        data, head.info.copy(), tmin=times[0], comment=comment, verbose=False
    )
