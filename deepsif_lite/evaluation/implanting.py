"""Electrodes inside the heads of virtual patients, and what they record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from .patient import Intracranial
from .spike_recordings import Backgrounds, course_of

if TYPE_CHECKING:
    from ..cortex.surface import Cortex
    from ..spikes.library import SpikeLibrary
    from .people import Person

_SHAFTS, _ON_SHAFT, _APART = 4, 8, 5e-3  # depth electrodes; contacts, m between them
_TARGET_SPREAD = 0.010  # m, of the tips about the seed
_TILT = 0.3  # of a shaft against the line to the side of the head
_GRID, _GRID_APART = 5, 10e-3  # contacts a side, m
_REACH = 5e-3  # m; a contact records what is nearer about alike
_LARGEST = 400e-6  # V, of the averaged spike at its largest contact
_NOISE = 0.03  # of the spike, standard deviation
_EVENTS = 3  # spikes inside for each one on the scalp
# Shares of the events: those seen on the scalp, and two other kinds of spikes.
_KINDS = (0.6, 0.25, 0.15)
_HALF = 0.25  # s around a spike that are kept


def implant(
    person: Person, cortex: Cortex, rng: np.random.Generator
) -> tuple[list[str], NDArray, list[str]]:
    """Place depth electrodes and a grid about the onset zone.

    Parameters
    ----------
    person : Person
    cortex : Cortex
    rng : numpy.random.Generator

    Returns
    -------
    names : list of str
    places : array of shape (n_contacts, 3)
        Meters.
    kinds : list of str
        ``"depth"`` or ``"grid"``.
    """
    seed = cortex.centroids[person.source[0]]
    side = np.array([np.sign(seed[0]) or 1.0, 0, 0])
    shafts = []
    for _ in range(_SHAFTS):
        tip = seed + _TARGET_SPREAD * rng.standard_normal(3)
        along = side + _TILT * rng.standard_normal(3)
        along /= np.linalg.norm(along)
        shafts.append(tip + _APART * np.arange(_ON_SHAFT)[:, None] * along)
    depth, grid = np.concatenate(shafts), _grid(seed, cortex, rng)
    names = [f"D{s + 1}-{k + 1}" for s in range(_SHAFTS) for k in range(_ON_SHAFT)]
    names += [f"G{k + 1}" for k in range(len(grid))]
    kinds = ["depth"] * len(depth) + ["grid"] * len(grid)
    return names, np.concatenate([depth, grid]), kinds


def _grid(seed: NDArray, cortex: Cortex, rng: np.random.Generator) -> NDArray:
    """Return contacts of a grid on the surface of the brain over a place."""
    half = cortex.vertices[: cortex.n_left]
    if seed[0] > 0:
        half = cortex.vertices[cortex.n_left :]
    center = cortex.vertices.mean(axis=0)
    outward = (seed - center) / np.linalg.norm(seed - center)
    over = half[((half - center) @ outward).argmax()]
    first = np.cross(outward, rng.standard_normal(3))
    first /= np.linalg.norm(first)
    steps = _GRID_APART * (np.arange(_GRID) - (_GRID - 1) / 2)
    plane = [
        over + a * first + b * np.cross(outward, first) for a in steps for b in steps
    ]
    return half[cdist(plane, half).argmin(axis=1)]


def intracranial_of(
    person: Person,
    cortex: Cortex,
    clips: SpikeLibrary,
    clip: int,
    n_spikes: int,
    rng: np.random.Generator,
) -> Intracranial:
    """Record spikes inside the head of a virtual patient.

    Of the events some are the spikes that the scalp shows, others have another place
    and another time course, as the recordings of patients do.

    Parameters
    ----------
    person : Person
    cortex : Cortex
    clips : SpikeLibrary
    clip : int
        Whose time course the spikes at the scalp have.
    n_spikes : int
        At the scalp.
    rng : numpy.random.Generator

    Returns
    -------
    Intracranial
    """
    names, places, kinds = implant(person, cortex, rng)
    nearest = cdist(places, cortex.centroids)
    gain = cortex.areas / (nearest**2 + _REACH**2)
    in_zone = np.isin(nearest.argmin(axis=1), person.onset_zone)
    in_zone[nearest[:, person.source[0]].argmin()] = True
    sources = [person.source, *_elsewhere(person, cortex, rng)]
    strengths = [person.strength, *(np.ones(len(s)) for s in sources[1:])]
    waves = [clip, *rng.choice(len(clips), len(sources) - 1)]
    topographies = [gain[:, s] @ w for s, w in zip(sources, strengths, strict=True)]
    events = rng.choice(len(_KINDS), max(_EVENTS * n_spikes, 10), p=_KINDS)
    backgrounds = Backgrounds(clips, gain)
    courses = [course_of(clips, int(wave)) for wave in waves]
    scale = np.abs(topographies[0]).max()
    size = scale / np.std(backgrounds.draw(rng)) / 10  # spikes are seen with the eye
    peak, half = courses[0].peak, round(_HALF * clips.sfreq)
    window = slice(peak - half, peak + half + 1)
    recorded = []
    for kind in events:
        spike = np.outer(topographies[kind], courses[kind].values)
        noise = _NOISE * scale * rng.standard_normal(spike.shape)
        recorded.append((spike + size * backgrounds.draw(rng).T + noise)[:, window])
    return Intracranial(
        names,
        places,
        in_zone,
        kinds,
        _LARGEST / scale * np.stack(recorded),
        np.arange(-half, half + 1) / clips.sfreq,
    )


def _elsewhere(
    person: Person, cortex: Cortex, rng: np.random.Generator
) -> list[NDArray]:
    """Return two other sources, near the onset zone but not in it."""
    apart = cortex.distances[person.source[0]]
    near = np.flatnonzero((apart > 0.015) & (apart < 0.04))
    near = near[~np.isin(near, person.source)]
    seeds = rng.choice(near, len(_KINDS) - 1, replace=False)
    return [np.array([s, *cortex.neighbors[s]]) for s in seeds]
