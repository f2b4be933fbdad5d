"""Electrodes: which ones a head model has, and where they sit on the scalp."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..errors import ChannelError

# The 75 channels of the published leadfield, in its order (10-10 system with
# inferior pairs; Sun et al. 2022, file electrode_75.mat).
CHANNELS_75 = tuple(
    """Fp1 F7 T7 T9 P7 O1 F3 C3 P3 Fpz Fz Cz Pz Fp2 F8 T8 T10 P8 O2 F4 C4 P4 Nz Iz F9
    F10 TP11 TP12 P9 P10 Oz FT9 TP9 FT7 TP7 AF7 F5 FC5 C5 CP5 P5 PO7 AF3 FC3 CP3 PO3
    F1 FC1 C1 CP1 P1 AFz FCz CPz POz F2 FC2 C2 CP2 P2 AF4 FC4 CP4 PO4 AF8 F6 FC6 C6
    CP6 P6 PO8 FT8 TP8 FT10 TP10""".split()
)

# The 19 electrodes of the 10-20 system that every clinic has.
TEN_TWENTY = tuple("Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2".split())

# MNE-Python's template positions share fsaverage's MRI frame and fiducials. The first
# name is used where it exists: the second is its name before MNE-Python 1.12.
_TEMPLATE_MONTAGES = ("colin27_1005", "standard_1005")
# One more 10 % step down the same coronal arc, for names the montage does not hold.
_NEXT_DOWN = {"TP11": ("TP7", "TP9"), "TP12": ("TP8", "TP10")}


def biosemi_64() -> tuple[str, ...]:
    """Return the 64 BioSemi channel names, in the order of the amplifier."""
    import mne

    return tuple(mne.channels.make_standard_montage("biosemi64").ch_names)


def template_positions(
    names: tuple[str, ...] | list[str], nasion: NDArray
) -> dict[str, NDArray]:
    """Return 10-10 positions in fsaverage's MRI frame, before they touch our scalp.

    Parameters
    ----------
    names : sequence of str
        Electrode names of the 10-05 system.
    nasion : array of shape (3,)
        Nasion of the scalp, meters; electrode Nz sits there.

    Returns
    -------
    dict of str to array of shape (3,)
        Meters, MRI (surface RAS) frame.

    Raises
    ------
    ChannelError
        A name is not in the 10-05 system.
    """
    known = _montage_positions() | {"Nz": np.asarray(nasion, float)}
    for name, (upper, lower) in _NEXT_DOWN.items():
        known[name] = 2 * known[lower] - known[upper]
    unknown = [name for name in names if name not in known]
    if unknown:
        msg = (
            f"names: {unknown} are not electrodes of the 10-05 system; leave them out."
        )
        raise ChannelError(msg)
    return {name: known[name] for name in names}


def known_electrodes() -> tuple[str, ...]:
    """Return the names that :func:`template_positions` knows."""
    return (*_montage_positions(), "Nz", *_NEXT_DOWN)


@lru_cache(maxsize=1)  # of all recordings that are laid on the template
def _montage_positions() -> dict[str, NDArray]:
    import mne

    builtin = mne.channels.get_builtin_montages()
    name = next(name for name in _TEMPLATE_MONTAGES if name in builtin)
    return dict(mne.channels.make_standard_montage(name).get_positions()["ch_pos"])


def subject_frame(fiducials: NDArray) -> tuple[NDArray, NDArray]:
    """Return the axes of the ear-nose frame (CTF, Brainstorm's SCS).

    Origin midway between the ears, x to the nasion, z up, y to the left ear's side.

    Parameters
    ----------
    fiducials : array of shape (3, 3)
        Left ear, nasion, right ear, meters.

    Returns
    -------
    origin : array of shape (3,)
    axes : array of shape (3, 3)
        One unit axis a row: ``frame @ axes + origin`` is in the fiducials' frame.
    """
    left, nasion, right = np.asarray(fiducials, float)
    origin = (left + right) / 2
    x = nasion - origin
    x /= np.linalg.norm(x)
    z = np.cross(x, left - origin)
    z /= np.linalg.norm(z)
    return origin, np.array([x, np.cross(z, x), z])


def published_cap(fiducials: NDArray) -> dict[str, NDArray]:
    """Return the published electrode positions, read as they stand in the ear frame.

    The file gives x to the front, y to the left, z up, in mm. Its origin lies about
    2 cm above the ears, so taken unshifted the cap sits too low; this is nevertheless
    where the published leadfield has its electrodes (chapter 2).

    Parameters
    ----------
    fiducials : array of shape (3, 3)
        Left ear, nasion, right ear, meters, MRI frame.

    Returns
    -------
    dict of str to array of shape (3,)
        Meters, MRI frame, not yet on the scalp.

    Raises
    ------
    RecordingUnavailable
        The published file cannot be reached.
    """
    from scipy.io import loadmat

    from ..recordings.published import fetch

    path = fetch("deepsif/anatomy/electrode_75.mat")
    table = loadmat(path, squeeze_me=True)["eloc75"]
    frame = np.column_stack([table[axis].astype(float) for axis in "XYZ"]) * 1e-3
    origin, axes = subject_frame(fiducials)
    labels = [str(label) for label in table["labels"]]
    return dict(zip(labels, frame @ axes + origin, strict=True))
