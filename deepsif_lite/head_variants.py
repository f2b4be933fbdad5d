"""Heads that differ from the template in one thing, or in shape.

They answer two questions: what a network meets when the patient's head is not the one
it was trained on (chapter 4), and what separates our leadfield from the published one
(chapter 2). The leadfields are computed once and stored in ``data/head``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .bem import SKULL_RATIO, Shells, eeg_gain, meg_gain
from .cortex import Cortex, load_cortex
from .electrodes import CHANNELS_75, published_cap, template_positions
from .head import (
    SKULL_THICKNESS,
    HeadModel,
    average_reference,
    content_hash,
    fiducials,
    load_head_model,
    sum_over_parcels,
    template_shells,
    topography_correlation,
)
from .paths import data_dir

if TYPE_CHECKING:
    import pandas as pd
    from mne import Info

logger = logging.getLogger(__name__)

# 642 points a shell: a minute a head on one core, 1 % from the shipped fineness.
VARIANT_FREQUENCY = 8
N_SHAPES = 20

# How much heads of adults differ from each other, as used here: standard deviation of
# length, width and height, and of the radius after smooth bumps; range of skulls.
_SIZE_SD = 0.04
_BUMP_SD = 0.02
_SKULL_RANGE = (3e-3, 6e-3)  # m
_N_BUMPS = 12
_BUMP_SHARPNESS = 4.0  # exp(4 (cos - 1)): half height at about 34 degrees


@dataclass(frozen=True)
class Geometry:
    """Everything of a head but its electrodes; the default is the template.

    Attributes
    ----------
    skull_ratio : float
        Skull conductivity over brain conductivity.
    skull_thickness : float
        Metres.
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
        Moves all: metres to the right, front, top.
    jitter : float
        Moves each on its own: root mean square distance along the scalp, metres.
    seed : int
        Draws the jitter.
    """

    layout: str = "10-10"
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    jitter: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class HeadVariant:
    """One head that is not the template."""

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
    ValueError
        The name is unknown.
    """
    if name not in HEAD_VARIANTS:
        msg = f"name={name!r} is not a head variant; choose from {list(HEAD_VARIANTS)}."
        raise ValueError(msg)
    template = load_head_model("template-75")
    return replace(
        template,
        name=name,
        leadfield=_stored()[f"{name}/leadfield"].astype(float),
        electrodes=_stored()[f"{name}/electrodes"].astype(float),
        vertex_gain=None,
    )


@lru_cache(maxsize=1)
def _stored() -> dict[str, NDArray]:
    with np.load(data_dir() / "head" / "variants.npz") as stored:
        return {key: stored[key] for key in stored.files}


# --------------------------------------------------------------------- building them


def build_gains(
    geometry: Geometry,
    caps: list[Cap],
    cortex: Cortex | None = None,
    *,
    channels: tuple[str, ...] = CHANNELS_75,
    frequency: int = VARIANT_FREQUENCY,
) -> list[tuple[NDArray, NDArray]]:
    """Compute vertex gains of several caps on one head, in one BEM run.

    Parameters
    ----------
    geometry : Geometry
    caps : list of Cap
    cortex : Cortex | None
        None takes the template.
    channels : tuple of str
        Electrode names.
    frequency : int
        Fineness of the shells.

    Returns
    -------
    list of (electrodes, gain)
        One a cap: arrays of shape (n_channels, 3) in metres and of shape
        (n_channels, n_vertices) in V/(A m).

    Raises
    ------
    ImportError
        OpenMEEG is not installed.
    ValueError
        A setting is out of range.
    RecordingUnavailable
        A published cap or orientation is asked for and cannot be reached.
    """
    cortex = load_cortex() if cortex is None else cortex
    shells = template_shells(
        frequency,
        skull_thickness=geometry.skull_thickness,
        inner_skull=geometry.inner_skull,
    )
    electrodes = [place_electrodes(cap, shells, channels) for cap in caps]
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
        Metres, MRI frame.

    Raises
    ------
    ValueError
        The layout is unknown.
    """
    if cap.layout == "published":
        named = published_cap(fiducials())
    elif cap.layout == "10-10":
        named = template_positions(channels, fiducials()[1])
    else:
        msg = f"layout={cap.layout!r} must be '10-10' or 'published'."
        raise ValueError(msg)
    on_scalp = shells.project(np.array([named[channel] for channel in channels]))
    rng = np.random.default_rng(cap.seed)
    # The projection removes the radial one of three components: two remain.
    own = rng.normal(scale=cap.jitter / np.sqrt(2), size=on_scalp.shape)
    return shells.project(on_scalp + np.asarray(cap.shift) + own)


def _with_sources(cortex: Cortex, geometry: Geometry) -> Cortex:
    """Return the cortex with its dipoles moved or turned."""
    if geometry.orientation == "published":
        cortex = replace(cortex, normals=_published_orientations())
    elif geometry.orientation != "normals":
        msg = f"orientation={geometry.orientation!r} must be 'normals' or 'published'."
        raise ValueError(msg)
    depth = geometry.source_depth
    if not 0 <= depth <= 1:
        msg = f"source_depth={depth!r} must lie between 0 (pial) and 1 (white matter)."
        raise ValueError(msg)
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

    from .recordings import fetch

    x, y, z = loadmat(fetch("deepsif/anatomy/fs_cortex_20k.mat"))["ori"].T
    return np.column_stack([-y, x, z])


@dataclass(frozen=True, eq=False)
class HeadShape:
    """A smooth deformation of a whole head: its size along each axis, and bumps.

    A point at distance r from the centre in direction d goes to
    ``size * r * d * (1 + bumps(d))``, so that nested star-shaped shells stay nested
    and star-shaped.

    Attributes
    ----------
    center : array of shape (3,)
        Metres.
    size : array of shape (3,)
        Factors for width, length, height.
    places : array of shape (n_bumps, 3)
        Unit vectors.
    heights : array of shape (n_bumps,)
        Relative change of the radius at each place.
    """

    center: NDArray
    size: NDArray
    places: NDArray
    heights: NDArray

    @classmethod
    def random(cls, seed: int, center: NDArray) -> HeadShape:
        """Draw a plausible head."""
        rng = np.random.default_rng(seed)
        size = 1 + _SIZE_SD * np.clip(rng.normal(size=3), -2, 2)
        places = rng.normal(size=(_N_BUMPS, 3))
        places /= np.linalg.norm(places, axis=1, keepdims=True)
        heights = rng.normal(size=_N_BUMPS)
        # Scale to the wanted spread over directions that cover the sphere evenly.
        shape = cls(center, size, places, heights)
        everywhere = rng.normal(size=(2000, 3))
        everywhere /= np.linalg.norm(everywhere, axis=1, keepdims=True)
        spread = shape._bumps(everywhere).std()
        return replace(shape, heights=heights * _BUMP_SD / spread)

    def _bumps(self, directions: NDArray) -> NDArray:
        return np.exp(_BUMP_SHARPNESS * (directions @ self.places.T - 1)) @ self.heights

    def points(self, points: NDArray) -> NDArray:
        """Deform points, array of shape (n_points, 3), metres."""
        rays = points - self.center
        directions = rays / np.linalg.norm(rays, axis=1, keepdims=True)
        stretched = rays * (1 + self._bumps(directions))[:, None]
        return self.center + self.size * stretched

    def cortex(self, cortex: Cortex) -> Cortex:
        """Deform the sources and turn their normals with them."""
        vertices = self.points(cortex.vertices)
        corners = vertices[cortex.faces]
        across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals = np.zeros_like(vertices)
        for k in range(3):
            np.add.at(normals, cortex.faces[:, k], across)
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        return replace(cortex, vertices=vertices, normals=normals)

    def shells(self, shells: Shells) -> Shells:
        """Deform the three surfaces."""
        surfaces = {
            name: self.points(shells.surface(name)) - self.center
            for name in ("inner_skull", "outer_skull", "scalp")
        }
        radii = {name: np.linalg.norm(rays, axis=1) for name, rays in surfaces.items()}
        directions = surfaces["scalp"] / radii["scalp"][:, None]
        return replace(shells, directions=directions, **radii)


def store_variants(folder: Path | None = None) -> Path:
    """Build all of :data:`HEAD_VARIANTS` and store them (20 minutes on one core).

    Run as ``python -m deepsif_lite.head_variants``. What the file already holds is
    kept, so that an interrupted run goes on; delete it to build all again.

    Parameters
    ----------
    folder : pathlib.Path | None
        None: ``data/head`` of the package.

    Returns
    -------
    pathlib.Path
        ``variants.npz``: leadfield and electrodes of each, and a content hash.
    """
    folder = data_dir() / "head" if folder is None else folder
    path = folder / "variants.npz"
    cortex = load_cortex()
    arrays = {}
    if path.is_file():
        with np.load(path) as stored:
            arrays = {key: stored[key] for key in stored.files if key != "sha256"}
    for geometry, names in _by_geometry():
        if all(f"{name}/leadfield" in arrays for name in names):
            continue
        caps = [HEAD_VARIANTS[name].cap for name in names]
        gains = build_gains(geometry, caps, cortex)
        for name, (electrodes, gain) in zip(names, gains, strict=True):
            leadfield = sum_over_parcels(gain, cortex)
            arrays[f"{name}/leadfield"] = leadfield.astype(np.float32)
            arrays[f"{name}/electrodes"] = electrodes.astype(np.float32)
        _write_whole(path, arrays)
        logger.info("built %s", ", ".join(names))
    return path


def _write_whole(path: Path, arrays: dict[str, NDArray]) -> None:
    """Write beside, then move into place: a kill leaves the old file or the new."""
    partial = path.with_suffix(".part.npz")
    np.savez_compressed(partial, sha256=np.array(content_hash(arrays)), **arrays)
    partial.replace(path)


def _by_geometry() -> Iterator[tuple[Geometry, list[str]]]:
    groups: dict[Geometry, list[str]] = {}
    for name, variant in HEAD_VARIANTS.items():
        groups.setdefault(variant.geometry, []).append(name)
    yield from groups.items()


# -------------------------------------------------------------------------------- MEG

N_MAGNETOMETERS = 148
_HELMET_GAP = 25e-3  # m from the scalp to the sensors
_HELMET_SHARE = 0.6  # of the sphere of directions that the helmet covers
_HELMET_TILT = 0.35  # rad, how much lower the helmet reaches at the back


def load_meg_head() -> HeadModel:
    """Load the template head under a helmet of 148 magnetometers.

    The helmet is a construction: points spread evenly, 25 mm off the scalp, each
    measuring the field along the radius. It stands for systems of that size.

    Returns
    -------
    head : HeadModel
        ``modality="meg"``, leadfield in T/(A m).
    """
    with np.load(data_dir() / "head" / "meg.npz") as stored:
        leadfield = stored["leadfield"].astype(float)
        places, directions = stored["places"], stored["directions"]
    ch_names = [f"MEG{k + 1:03d}" for k in range(len(places))]
    return HeadModel(
        name="template-meg-148",
        leadfield=leadfield,
        ch_names=ch_names,
        info=_meg_info(ch_names, places, directions),
        cortex=load_cortex(),
        electrodes=places,
        modality="meg",
    )


def _meg_info(ch_names: list[str], places: NDArray, directions: NDArray) -> Info:
    import mne

    left, nasion, right = fiducials()
    montage = mne.channels.make_dig_montage(
        nasion=nasion, lpa=left, rpa=right, coord_frame="mri"
    )
    to_head = mne.channels.compute_native_head_t(montage)["trans"]
    info = mne.create_info(ch_names, 500.0, "mag", verbose=False)
    in_head = places @ to_head[:3, :3].T + to_head[:3, 3]
    normals = directions @ to_head[:3, :3].T
    for channel, place, normal in zip(info["chs"], in_head, normals, strict=True):
        # MNE wants position and three axes of the coil, the last along the field.
        across = np.linalg.svd(normal[None])[2][1:]
        channel["loc"][:3] = place
        channel["loc"][3:] = np.concatenate([*across, normal])
    # Device and head frame are the same here: no one moves in a simulation.
    info["dev_head_t"] = mne.transforms.Transform("meg", "head")
    return info


def helmet(shells: Shells, n_sensors: int = N_MAGNETOMETERS) -> tuple[NDArray, NDArray]:
    """Spread point magnetometers evenly around the upper head.

    Parameters
    ----------
    shells : Shells
    n_sensors : int

    Returns
    -------
    places, directions : array of shape (n_sensors, 3)
        Metres, MRI frame; unit vectors away from the head.
    """
    n_points = round(n_sensors / _HELMET_SHARE)
    k = np.arange(n_sensors) + 0.5
    # A spiral of equal areas from the crown down (Fibonacci sphere), tilted back.
    height = 1 - 2 * k / n_points
    angle = np.pi * (1 + 5**0.5) * k
    ring = np.sqrt(1 - height**2)
    x, y = ring * np.cos(angle), ring * np.sin(angle)
    cos, sin = np.cos(_HELMET_TILT), np.sin(_HELMET_TILT)
    directions = np.column_stack([x, cos * y - sin * height, sin * y + cos * height])
    on_scalp = shells.project(shells.center + directions)
    return on_scalp + _HELMET_GAP * directions, directions


def store_meg(folder: Path | None = None) -> Path:
    """Build the MEG leadfield and store it (two minutes on one core).

    Run as ``python -m deepsif_lite.head_variants --meg``.

    Parameters
    ----------
    folder : pathlib.Path | None
        None: ``data/head`` of the package.

    Returns
    -------
    pathlib.Path
        ``meg.npz``.
    """
    folder = data_dir() / "head" if folder is None else folder
    shells, cortex = template_shells(VARIANT_FREQUENCY), load_cortex()
    places, directions = helmet(shells)
    gain = meg_gain(shells, places, directions, cortex.vertices, cortex.normals)
    leadfield = sum_over_parcels(gain, cortex).astype(np.float32)
    path = folder / "meg.npz"
    np.savez_compressed(path, leadfield=leadfield, places=places, directions=directions)
    return path


# ----------------------------------------------------- what separates us from the paper

# One thing changed at a time, starting from the template.
COMPARED_GEOMETRIES = {
    "template": Geometry(),
    "skull conductivity 1/15": Geometry(skull_ratio=1 / 15),
    "skull conductivity 1/40": Geometry(skull_ratio=1 / 40),
    "skull conductivity 1/100": Geometry(skull_ratio=1 / 100),
    "skull 3 mm": Geometry(skull_thickness=3e-3),
    "skull 7 mm": Geometry(skull_thickness=7e-3),
    "inner skull from the cortex's hull": Geometry(inner_skull="hull"),
    "sources half-way to white matter": Geometry(source_depth=0.5),
    "published dipole directions": Geometry(orientation="published"),
}


def agreement(leadfield: NDArray, published: NDArray) -> dict[str, float]:
    """Compare a leadfield with the published one, parcel by parcel.

    Parameters
    ----------
    leadfield, published : array of shape (n_channels, n_regions)

    Returns
    -------
    dict
        ``median`` and ``percentile_5`` of the topography correlation, ``rdm`` (median
        relative difference measure, 0 to 2), ``magnitude`` (median ratio of sizes,
        published over ours) and ``reversed`` (parcels with the opposite sign).
    """
    ours, theirs = average_reference(leadfield), average_reference(published)
    correlation = topography_correlation(ours, theirs)
    sizes = np.linalg.norm(ours, axis=0), np.linalg.norm(theirs, axis=0)
    difference = ours / sizes[0] - theirs / sizes[1]
    return {
        "median": float(np.median(correlation)),
        "percentile_5": float(np.percentile(correlation, 5)),
        "rdm": float(np.median(np.linalg.norm(difference, axis=0))),
        "magnitude": float(np.median(sizes[1] / sizes[0])),
        "reversed": int((correlation < 0).sum()),
    }


def compare_with_published(
    geometries: dict[str, Geometry] | None = None,
    *,
    frequency: int = VARIANT_FREQUENCY,
) -> tuple[pd.DataFrame, dict[str, NDArray]]:
    """Change one thing at a time and compare with the published leadfield.

    Each head is compared twice: with electrodes where the 10-10 system puts them, and
    where the published leadfield has them. A BEM run a head: minutes.

    Parameters
    ----------
    geometries : dict of str to Geometry | None
        None takes :data:`COMPARED_GEOMETRIES`.
    frequency : int
        Fineness of the shells.

    Returns
    -------
    table : pandas.DataFrame
        Columns ``change``, ``electrodes`` and those of :func:`agreement`.
    correlations : dict of str to array of shape (n_regions,)
        Topography correlation of each parcel, by ``"<change>/<electrodes>"``.

    Raises
    ------
    RecordingUnavailable
        The published files cannot be reached.
    """
    import pandas as pd

    published = load_head_model("published-75")
    caps = [Cap(), Cap(layout="published")]
    rows, correlations = [], {}
    for change, geometry in (geometries or COMPARED_GEOMETRIES).items():
        gains = build_gains(geometry, caps, published.cortex, frequency=frequency)
        for cap, (_, gain) in zip(caps, gains, strict=True):
            leadfield = sum_over_parcels(gain, published.cortex)
            scores = agreement(leadfield, published.leadfield)
            rows.append({"change": change, "electrodes": cap.layout, **scores})
            correlations[f"{change}/{cap.layout}"] = topography_correlation(
                leadfield, published.leadfield
            )
        logger.info("compared: %s", change)
    return pd.DataFrame(rows), correlations


def store_comparison(folder: Path | None = None) -> Path:
    """Compute the table of :func:`compare_with_published` and store it.

    Run as ``python -m deepsif_lite.head_variants --compare``.

    Parameters
    ----------
    folder : pathlib.Path | None
        None: ``data/head`` of the package.

    Returns
    -------
    pathlib.Path
        ``comparison.csv``; the correlations go to ``comparison.npz`` beside it.
    """
    folder = data_dir() / "head" if folder is None else folder
    path = folder / "comparison.csv"
    table, correlations = compare_with_published()
    table.to_csv(path, index=False, float_format="%.4f")
    small = {key: value.astype(np.float32) for key, value in correlations.items()}
    np.savez_compressed(path.with_suffix(".npz"), **small)
    return path


def load_comparison() -> tuple[pd.DataFrame, dict[str, NDArray]]:
    """Read what :func:`store_comparison` stored; see :func:`compare_with_published`."""
    import pandas as pd

    path = data_dir() / "head" / "comparison.csv"
    with np.load(path.with_suffix(".npz")) as stored:
        return pd.read_csv(path), {key: stored[key] for key in stored.files}


if __name__ == "__main__":
    import sys

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if "--compare" in sys.argv:
        store_comparison()
    elif "--meg" in sys.argv:
        store_meg()
    else:
        store_variants()
