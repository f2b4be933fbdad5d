"""The truth of the contract: one patch of the template, active once, in noise."""

from __future__ import annotations

from functools import cache

import mne
import numpy as np

from deepsif_lite.head import load_head_model
from deepsif_lite.imaging import load_model

SEED, SFREQ, N_TIMES = 577, 500, 500
PEAK, WIDTH = 0.5, 0.025  # s
SLOW_WIDTH = 0.18  # s: 300 ms at half maximum
AMPLITUDE, NOISE = 60e-6, 1e-6  # V


@cache
def head():
    return load_head_model("template-75")


@cache
def network():
    return load_model("lite")


@cache
def patch():
    return [SEED, *head().cortex.neighbors[SEED]]


def distance(activity):
    """Return how far the strongest region lies from the patch, mm."""
    strongest = int((activity**2).sum(axis=1).argmax())
    return 1e3 * head().cortex.distances[strongest, patch()].min()


@cache
def _field():
    field = head().leadfield[:, patch()].sum(axis=1)
    return field - field.mean()


def _peak(width):
    return np.exp(-(((np.arange(N_TIMES) / SFREQ - PEAK) / width) ** 2))


def slow_course():
    """Return that of a response like the P300, 1 at its peak."""
    return _peak(SLOW_WIDTH)


def clean(course=None):
    """Return EEG of shape (75, 500), V; the patch answers briefly unless told."""
    course = _peak(WIDTH) if course is None else course
    field = _field()
    noise = np.random.default_rng(0).standard_normal((len(field), N_TIMES))
    return AMPLITUDE / np.abs(field).max() * np.outer(field, course) + NOISE * noise


def noise(size, shape=(75, 1)):
    """Return random values of a given standard deviation."""
    return size * np.random.default_rng(1).standard_normal(shape)


def evoked(data=None, info=None, tmin=0.0):
    data = clean() if data is None else data
    info = head().info if info is None else info
    return mne.EvokedArray(data, info.copy(), tmin=tmin, verbose="error")


def renamed(spell):
    """Name the channels by a function of their names; without positions."""
    return evoked(info=bare([spell(name) for name in head().ch_names]))


def bare(names, kind="eeg", sfreq=SFREQ):
    """Return the info of channels without positions; of one kind, or of a kind each."""
    return mne.create_info(list(names), float(sfreq), kind)


def points():
    """Return the electrodes in the head frame (75, 3), m."""
    return np.array([ch["loc"][:3] for ch in head().info["chs"]])


def sphere_about_zero():
    """Return the electrodes on a sphere about the origin, m."""
    from deepsif_lite.recordings.positions import sphere

    centered = points() - sphere(points())[1]
    return 0.085 * centered / np.linalg.norm(centered, axis=1, keepdims=True)


def projector():
    """Return one of some pattern of the 75 channels, not applied."""
    data = {"data": np.ones((1, 75)) / 75**0.5, "nrow": 1, "ncol": 75}
    data |= {"row_names": None, "col_names": head().ch_names}
    return mne.Projection(data=data, desc="blink", active=False, kind=1)


def placed(positions, names=None, data=None):
    """Give electrodes positions without fiducials."""
    names = names or head().ch_names
    montage = mne.channels.make_dig_montage(
        dict(zip(names, positions, strict=True)), coord_frame="head"
    )
    return evoked(data, bare(names).set_montage(montage, verbose="error"))


def loud():
    """Return the channels by their signal, largest first."""
    return np.argsort(-np.abs(clean()).max(axis=1))


@cache
def _on(name):
    """Spline the signal to the electrodes of one of MNE's montages."""
    montage = mne.channels.make_standard_montage(name)
    labels = [f"new {n}" for n in montage.ch_names]
    there = bare(montage.ch_names).set_montage(montage)
    both = dict(zip(head().ch_names, points(), strict=True))
    both |= {n: ch["loc"][:3] for n, ch in zip(labels, there["chs"], strict=True)}
    info = bare(both).set_montage(
        mne.channels.make_dig_montage(both, coord_frame="head")
    )
    data = np.vstack([clean(), np.zeros((len(labels), N_TIMES))])
    filled = mne.EvokedArray(data, info, verbose="error")
    filled.info["bads"] = labels
    filled.interpolate_bads(verbose="error")
    return filled.data[75:], there


def on(name, positions=True):
    """Return the response as another cap records it."""
    data, info = _on(name)
    return evoked(data, info if positions else bare(info.ch_names))
