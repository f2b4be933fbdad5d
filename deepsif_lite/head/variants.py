"""Heads that differ from the template in one thing, or in shape.

They show what a network meets when the patient's head is not the one it was trained
on (chapter 4). The leadfields are computed once and stored in ``data/head``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..artifacts import artifact_path, read_artifact, write_arrays
from ..cortex.surface import Cortex, load_cortex
from ..errors import check_option, check_range
from .bem import SKULL_RATIO, eeg_gain
from .building import build_in_parts
from .electrodes import CHANNELS_75, published_cap, template_positions
from .fsaverage import fiducials
from .jitter import draw_moves
from .loading import load_head_model
from .model import HeadModel, sum_over_parcels
from .shape import HeadShape
from .shells import Shells
from .template import SKULL_THICKNESS, VARIANT_FREQUENCY, template_shells

N_SHAPES = 20
_SKULL_RANGE = (3e-3, 6e-3)  # m, of the random head shapes
_ARTIFACT = "head/variants.npz"


@dataclass(frozen=True)
class Geometry:
    """Everything of a head but its electrodes; the default is the template.

    Attributes
    ----------
    skull_ratio : float
        Skull conductivity over brain conductivity.
    skull_thickness : float
        Meters.
    inner_skull : {"fsaverage", "hull"}
        See :func:`~deepsif_lite.head.template_shells`.
    source_depth : float
        Dipoles between the pial surface (0) and the white matter (1).
    orientation : {"normals", "published"}
        Of the dipoles: normals of the pial surface, or the authors' file.
    shape : int | None
        Seed of a random head shape; None is the template's.
    """

    skull_ratio: float = SKULL_RATIO
    skull_thickness: float = SKULL_THICKNESS
    inner_skull: str = "fsaverage"
    source_depth: float = 0.0
    orientation: str = "normals"
    shape: int | None = None


@dataclass(frozen=True)
class Cap:
    """Where the electrodes are; the default is the 10-10 system.

    Attributes
    ----------
    layout : {"10-10", "published"}
        10-10 on the template's scalp, or the published positions as they stand.
    shift : tuple of float
        Moves all: meters to the right, front, top.
    jitter : float
        Moves each on its own: root mean square distance along the scalp, meters.
    seed : int
        Draws the jitter.
    """

    layout: str = "10-10"
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    jitter: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class HeadVariant:
    """One head that is not the template.

    Attributes
    ----------
    description : str
        How it differs, in words.
    geometry : Geometry
        Its shells and sources.
    cap : Cap
        Where its electrodes are.
    """

    description: str
    geometry: Geometry = field(default_factory=Geometry)
    cap: Cap = field(default_factory=Cap)


def _registry() -> dict[str, HeadVariant]:
    variants = {"coarse": HeadVariant("the template with shells of 642 points")}
    for divisor in (20, 40, 60, 100):
        variants[f"skull-1/{divisor}"] = HeadVariant(
            f"skull {divisor} times less conductive than brain",
            Geometry(skull_ratio=1 / divisor),
        )
    for thickness in (3, 7):
        variants[f"skull-{thickness}mm"] = HeadVariant(
            f"skull {thickness} mm thick", Geometry(skull_thickness=thickness * 1e-3)
        )
    for distance in (2, 5, 10):
        variants[f"jitter-{distance}mm"] = HeadVariant(
            f"each electrode moved by {distance} mm (root mean square)",
            cap=Cap(jitter=distance * 1e-3),
        )
    variants["shift-left-5mm"] = HeadVariant(
        "cap moved 5 mm to the left", cap=Cap(shift=(-5e-3, 0.0, 0.0))
    )
    for k in range(1, N_SHAPES + 1):
        rng = np.random.default_rng(k)
        variants[f"shape-{k:02d}"] = HeadVariant(
            f"another head shape (number {k})",
            Geometry(shape=k, skull_thickness=float(rng.uniform(*_SKULL_RANGE))),
        )
    return variants


# Heads of other geometry and electrodes off their places, by name.
HEAD_VARIANTS = _registry()


def load_head_variant(name: str) -> HeadModel:
    """Load a head of :data:`HEAD_VARIANTS` with the 75 channels and 994 parcels.

    Parameters
    ----------
    name : str
        For example ``"skull-1/40"``, ``"jitter-5mm"``, ``"shape-03"``.

    Returns
    -------
    head : HeadModel
        Its parcels, channel names and ``info`` are those of ``"template-75"``; only
        leadfield and electrodes differ. A ``shape`` keeps the template's electrodes
        too, since both were deformed together.

    Raises
    ------
    OptionError
        The name is unknown.
    ArtifactError
        The shipped variants are damaged.
    """
    check_option("name", name, HEAD_VARIANTS)
    template = load_head_model("template-75")
    return replace(
        template,
        name=name,
        leadfield=_stored()[f"{name}/leadfield"].astype(float),
        sensors=_stored()[f"{name}/electrodes"].astype(float),
        vertex_gain=None,
    )


@lru_cache(maxsize=1)
def _stored() -> dict[str, NDArray]:
    return read_artifact(_ARTIFACT, "variants")


# --------------------------------------------------------------------- building them


def build_gains(
    geometry: Geometry,
    caps: list[Cap],
    cortex: Cortex | None = None,
    *,
    frequency: int = VARIANT_FREQUENCY,
) -> list[tuple[NDArray, NDArray]]:
    """Compute vertex gains of several caps on one head, in one BEM run.

    Parameters
    ----------
    geometry : Geometry
    caps : list of Cap
    cortex : Cortex | None
        None takes the template.
    frequency : int
        Fineness of the shells.

    Returns
    -------
    list of (electrodes, gain)
        One a cap: arrays of shape (n_channels, 3) in meters and of shape
        (n_channels, n_vertices) in V/(A m).

    Raises
    ------
    ImportError
        OpenMEEG is not installed.
    OptionError
        A setting is unknown or out of range.
    RecordingUnavailable
        A published cap or orientation is asked for and cannot be reached.
    """
    cortex = load_cortex() if cortex is None else cortex
    shells = template_shells(
        frequency,
        skull_thickness=geometry.skull_thickness,
        inner_skull=geometry.inner_skull,
    )
    electrodes = [place_electrodes(cap, shells) for cap in caps]
    cortex = _with_sources(cortex, geometry)
    on_scalp = electrodes
    if geometry.shape is not None:
        warp = HeadShape.random(geometry.shape, shells.center)
        cortex = warp.cortex(cortex)
        on_scalp = [warp.points(cap) for cap in electrodes]
        shells = warp.shells(shells)
    gain = eeg_gain(
        shells,
        shells.project(np.vstack(on_scalp)),
        cortex.vertices,
        cortex.normals,
        skull_ratio=geometry.skull_ratio,
    )
    return list(zip(electrodes, np.split(gain, len(caps)), strict=True))


def place_electrodes(
    cap: Cap, shells: Shells, channels: tuple[str, ...] = CHANNELS_75
) -> NDArray:
    """Return the positions of a cap's electrodes on a scalp.

    Parameters
    ----------
    cap : Cap
    shells : Shells
    channels : tuple of str

    Returns
    -------
    array of shape (n_channels, 3)
        Meters, MRI frame.

    Raises
    ------
    OptionError
        The layout is unknown.
    """
    check_option("layout", cap.layout, ("10-10", "published"))
    if cap.layout == "published":
        named = published_cap(fiducials())
    else:
        named = template_positions(channels, fiducials()[1])
    on_scalp = shells.project(np.array([named[channel] for channel in channels]))
    rng = np.random.default_rng(cap.seed)
    own = draw_moves(len(channels), cap.jitter, rng)  # the projection is along radii
    return shells.project(on_scalp + np.asarray(cap.shift) + own)


def _with_sources(cortex: Cortex, geometry: Geometry) -> Cortex:
    """Return the cortex with its dipoles moved or turned."""
    depth = geometry.source_depth
    check_option("orientation", geometry.orientation, ("normals", "published"))
    check_range("source_depth", depth, 0, 1)
    if geometry.orientation == "published":
        cortex = replace(cortex, normals=_published_orientations())
    if depth == 0:
        return cortex
    vertices = (1 - depth) * cortex.vertices + depth * _white_surface()
    return replace(cortex, vertices=vertices)


def _white_surface() -> NDArray:
    from nilearn.datasets import fetch_surf_fsaverage
    from nilearn.surface import load_surf_mesh

    paths = fetch_surf_fsaverage("fsaverage5")
    sides = [load_surf_mesh(paths[f"white_{side}"]) for side in ("left", "right")]
    return np.vstack([side.coordinates for side in sides]) / 1e3


def _published_orientations() -> NDArray:
    """Read the authors' dipole directions; theirs are x to the front, y to the left."""
    from scipy.io import loadmat

    from ..recordings.published import fetch

    x, y, z = loadmat(fetch("deepsif/anatomy/fs_cortex_20k.mat"))["ori"].T
    return np.column_stack([-y, x, z])


def store_variants(root: str | Path | None = None, *, progress: bool = True) -> Path:
    """Build all of :data:`HEAD_VARIANTS` and store them (12 minutes on one core).

    What is finished is kept beside, so that a run that was stopped goes on.
    """
    path = artifact_path(_ARTIFACT, root)
    cortex = load_cortex()
    parts = {
        f"{names[0]}/leadfield": partial(_build_group, names, cortex)
        for names in _by_geometry().values()
    }
    arrays, unfinished = build_in_parts(
        path, HEAD_VARIANTS, parts, desc="head variants", progress=progress
    )
    write_arrays(path, arrays)
    unfinished.unlink()
    return path


def _build_group(names: list[str], cortex: Cortex) -> dict[str, NDArray]:
    """Build the variants that share a geometry, in one run of the BEM."""
    variants = [HEAD_VARIANTS[name] for name in names]
    gains = build_gains(variants[0].geometry, [v.cap for v in variants], cortex)
    arrays = {}
    for name, (electrodes, gain) in zip(names, gains, strict=True):
        leadfield = sum_over_parcels(gain, cortex)
        arrays[f"{name}/leadfield"] = leadfield.astype(np.float32)
        arrays[f"{name}/electrodes"] = electrodes.astype(np.float32)
    return arrays


def _by_geometry() -> dict[Geometry, list[str]]:
    groups: dict[Geometry, list[str]] = {}
    for name, variant in HEAD_VARIANTS.items():
        groups.setdefault(variant.geometry, []).append(name)
    return groups
