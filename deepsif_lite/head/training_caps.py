"""What random caps and heads are made of, in one file that needs neither MNE nor OpenMEEG."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..artifacts import artifact_path, read_artifact, write_arrays
from .bem import eeg_gain
from .building import build_in_parts
from .cap_sampler import CapSampler
from .electrodes import (
    CHANNELS_75,
    TEN_TWENTY,
    known_electrodes,
    template_positions,
)
from .fsaverage import fiducials
from .model import load_shells, sum_over_parcels
from .scalp import ScalpPotentials
from .shape import HeadShape
from .shells import Shells
from .template import VARIANT_FREQUENCY, template_shells

_ARTIFACT = "training/caps.npz"
_N_HEADS = 12
# Of the heads: thickness of the skull (m), and its conductivity over the brain's, which
# is drawn evenly in its logarithm. Published ratios reach from 1/15 to 1/80 and beyond.
_SKULL_THICKNESS = (3e-3, 7e-3)
_SKULL_RATIO = (1 / 100, 1 / 20)
_KEY = 2026  # of the draws; the seeds of shapes are none of those that tests use
_FIRST_SHAPE = 1000
# Potentials on a scalp are smooth: so many of their principal components hold them to
# 1 % (median), as far as coarse shells are from fine ones, in a quarter of the space.
_N_COMPONENTS = 128
_LAYOUTS = ("biosemi16", "biosemi32", "biosemi64")


@lru_cache(maxsize=1)
def load_cap_sampler() -> CapSampler:
    """Load what draws caps and heads for training.

    Raises
    ------
    ArtifactError
        A shipped file is damaged.
    """
    stored = read_artifact(_ARTIFACT, "training")
    shells, coarse = (
        load_shells(),
        Shells(
            **{name: stored[name] for name in ("center", "directions", "faces")},
            **dict.fromkeys(("inner_skull", "outer_skull", "scalp"), stored["scalp"]),
        ),
    )
    potentials = read_artifact("head/scalp.npz", "scalp")["potentials"]
    heads = [
        ScalpPotentials(coarse, maps.astype(np.float32) @ shares.astype(np.float32))
        for maps, shares in zip(stored["maps"], stored["shares"], strict=True)
    ]
    return CapSampler(
        ScalpPotentials(shells, potentials),
        heads,
        stored["positions"],
        stored["standard"],
    )


def store_cap_sampler(root: str | Path | None = None, *, progress: bool = True) -> Path:
    """Compute the heads that training meets and store them (10 minutes).

    What is finished is kept beside, so that a run that was stopped goes on.
    """
    path = artifact_path(_ARTIFACT, root)
    recipe = (_KEY, _FIRST_SHAPE, _SKULL_THICKNESS, _SKULL_RATIO, VARIANT_FREQUENCY)
    done, unfinished = build_in_parts(
        path,
        recipe,
        {str(k): partial(_part, k) for k in range(_N_HEADS)},
        desc="training heads",
        progress=progress,
    )
    factors = [_factors(done[str(k)]) for k in range(_N_HEADS)]
    arrays = {
        "maps": np.stack([maps for maps, _ in factors]),
        "shares": np.stack([shares for _, shares in factors]),
        **_layouts(),
        **_points(template_shells(VARIANT_FREQUENCY)),
    }
    write_arrays(path, arrays)
    unfinished.unlink()
    return path


def _part(number: int) -> dict[str, NDArray]:
    return {str(number): head_potentials(number)}


def head_potentials(number: int) -> NDArray:
    """Compute the potentials of the parcels all over the scalp of a random head.

    Parameters
    ----------
    number : int
        Seed of its shape, skull thickness and skull conductivity.

    Returns
    -------
    array of shape (n_vertices, n_regions)
        V/(A m), relative to the mean over the scalp.

    Raises
    ------
    ImportError
        OpenMEEG is not installed.
    """
    from ..cortex.surface import load_cortex

    rng = np.random.default_rng([_KEY, number])
    ratio = np.exp(rng.uniform(*np.log(_SKULL_RATIO)))
    shells = template_shells(
        VARIANT_FREQUENCY, skull_thickness=float(rng.uniform(*_SKULL_THICKNESS))
    )
    shape = HeadShape.random(_FIRST_SHAPE + number, shells.center)
    cortex, shells = shape.cortex(load_cortex()), shape.shells(shells)
    gain = eeg_gain(
        shells,
        shells.surface("scalp"),
        cortex.vertices,
        cortex.normals,
        skull_ratio=float(ratio),
    )
    return sum_over_parcels(gain, cortex).astype(np.float32)


def _factors(potentials: NDArray) -> tuple[NDArray, NDArray]:
    """Split into maps on the scalp and the share that each parcel has of each."""
    left, size, right = np.linalg.svd(potentials, full_matrices=False)
    scale = np.sqrt(
        size[:_N_COMPONENTS]
    )  # both of one size, within the range of half precision
    maps = left[:, :_N_COMPONENTS] * scale
    shares = right[:_N_COMPONENTS] * scale[:, None]
    return maps.astype(np.float16), shares.astype(np.float16)


def _points(shells: Shells) -> dict[str, NDArray]:
    """Return what barycentric weights on a scalp need."""
    return {
        "center": shells.center,
        "directions": shells.directions,
        "faces": shells.faces.astype(np.int32),
        "scalp": shells.scalp,
    }


def _layouts() -> dict[str, NDArray]:
    """Return the places of the 10-05 system, and which of them common caps have."""
    import mne

    names = sorted(known_electrodes())
    places = template_positions(names, fiducials()[1])
    positions = load_shells().project(np.array([places[name] for name in names]))
    # One electrode a place: the 10-20 system's old names are there as well.
    _, first = np.unique(positions.round(4), axis=0, return_index=True)
    own = {name: k for k, name in enumerate(names)}
    layouts = [TEN_TWENTY, CHANNELS_75]
    layouts += [mne.channels.make_standard_montage(m).ch_names for m in _LAYOUTS]
    standard = np.zeros((len(layouts), len(names)), dtype=bool)
    for row, layout in zip(standard, layouts, strict=True):
        row[[own[name] for name in layout]] = True
    keep = np.union1d(first, np.flatnonzero(standard.any(axis=0)))
    return {"positions": positions[keep], "standard": standard[:, keep]}
