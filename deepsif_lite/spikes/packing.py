"""Compression of background activity, a hundredfold.

The background is smooth, so what is kept of it are its lowest cosine coefficients in
whole steps. Bytes of equal weight are put beside each other, which LZMA compresses
best; a clip is one block, so that clips unpack in parallel.
"""

from __future__ import annotations

import lzma
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ..errors import SignalError

N_COEFS = 160
"""Cosines kept, from 0 to 79.5 Hz in steps of 0.5 Hz."""

STEP = 0.6
"""Size of one level (mV, orthonormal cosines). Leaves an error of 0.09 mV (root mean
square) in a background that varies by 0.3 to 0.6 mV."""

# Levels are rounded down from 0.6 rather than 0.5: fewer ones, little more error.
_ROUND_UP_AT = 0.6
_LZMA = [{"id": lzma.FILTER_LZMA2, "preset": 6, "lc": 0, "lp": 0, "pb": 0}]


def pack_levels(activity: NDArray) -> NDArray[np.uint8]:
    """Compress a background.

    Parameters
    ----------
    activity : array of shape (n_times, n_regions)
        mV.

    Returns
    -------
    packed : array of shape (n_bytes,)

    Raises
    ------
    SignalError
        The activity is larger than a level can express.
    """
    coefs = fft.dct(activity.astype(float), axis=0, norm="ortho")[:N_COEFS] / STEP
    levels = np.sign(coefs) * np.floor(np.abs(coefs) + 1 - _ROUND_UP_AT)
    if np.abs(levels).max() > np.iinfo(np.int16).max // 2:
        msg = (
            f"activity reaches {np.abs(activity).max():.0f} mV, which no simulation "
            "does after its burn-in; leave the first 0.5 s out."
        )
        raise SignalError(msg)
    # Small magnitudes of either sign become small codes: 0, -1, 1, -2, ...
    codes = np.where(levels >= 0, 2 * levels, -2 * levels - 1).astype("<u2")
    planes = codes.reshape(-1, 1).view(np.uint8).T
    packed = lzma.compress(planes.tobytes(), format=lzma.FORMAT_RAW, filters=_LZMA)
    return np.frombuffer(packed, dtype=np.uint8)


def unpack_levels(packed: NDArray[np.uint8], shape: Sequence[int]) -> NDArray[np.int16]:
    """Undo :func:`pack_levels`, but for the cosines.

    Parameters
    ----------
    packed : array of shape (n_bytes,)
    shape : (n_regions, n_coefs)

    Returns
    -------
    levels : array of shape (n_regions, n_coefs)
        Cosine coefficients in units of :data:`STEP`.
    """
    n_regions, n_coefs = shape
    raw = lzma.decompress(packed.tobytes(), format=lzma.FORMAT_RAW, filters=_LZMA)
    planes = np.frombuffer(raw, dtype=np.uint8).reshape(2, n_coefs, n_regions)
    codes = planes[0].astype(np.int16) | (planes[1].astype(np.int16) << 8)
    levels = (codes >> 1) ^ -(codes & 1)
    return np.ascontiguousarray(levels.T)
