"""A dictionary of extended sources: patches all over the cortex.

The scan network asks which of these patches fit into the EEG. They are grown by the
rules that make the training data, but from a key of their own, so no patch of a
training or test stream is in the dictionary but by chance.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..artifacts import artifact_path, read_artifact, write_arrays
from ..errors import check_option
from .patches import (
    DICTIONARY_PATCHES,
    gaussian_decay,
    patch_candidates,
    sized_candidates,
)

if TYPE_CHECKING:
    from .parcels import Parcels

_SHIPPED_SHAPES = 40  # patches a parcel, as many as the lite network uses
SIZES = ("all", "published")  # what the patches of a dictionary may be
_N_ROUND = 3  # patches of a parcel that hold all within 1, 2, ... steps
_N_SIZED = 11  # of any size, the parcel alone among them
_HALF_DISTANCE = 0.05  # m, the middle of the range that synthesis draws from


def patch_dictionary(
    cortex: Parcels, n_shapes: int, seed: int = 0, sizes: str = "all"
) -> NDArray[np.bool_]:
    """Return patches around every parcel: the shipped ones, or grown in seconds.

    Parameters
    ----------
    cortex : Cortex
    n_shapes : int
        Patches a parcel. A parcel with fewer different ones repeats some.
    seed : int
        Of the growth.
    sizes : {"all", "published"}
        ``"all"`` holds of each parcel the parcel alone, all within one, two and three
        steps, some of any size between, and patches as the paper grows them;
        ``"published"`` only the last, none of which is smaller than about 10 cm^2.

    Returns
    -------
    members : array of bool, shape (n_regions * n_shapes, n_regions)
        The parcels of each patch; patches of one seed parcel follow each other.

    Raises
    ------
    OptionError
        No such sizes.
    ArtifactError
        The shipped dictionary is damaged.
    """
    check_option("sizes", sizes, SIZES)
    name = _artifact_name(cortex, n_shapes, seed, sizes)
    if artifact_path(name).is_file():
        packed = read_artifact(name, "dictionary")["members"]
        return np.unpackbits(packed, 1, cortex.n_regions).view(bool)
    return _grow(cortex, n_shapes, seed, sizes)


def store_dictionaries(root: str | Path | None = None) -> list[Path]:
    """Grow the shipped dictionaries of patches and store them."""
    from .surface import load_cortex

    cortex, paths = load_cortex(), []
    for sizes in SIZES:
        members = _grow(cortex, _SHIPPED_SHAPES, 0, sizes)
        path = artifact_path(_artifact_name(cortex, _SHIPPED_SHAPES, 0, sizes), root)
        paths.append(write_arrays(path, {"members": np.packbits(members, axis=1)}))
    return paths


def patch_strengths(cortex: Parcels) -> NDArray:
    """Return how strong each parcel is in the patches of a seed that hold it.

    Parameters
    ----------
    cortex : Cortex

    Returns
    -------
    strengths : array of shape (n_regions, n_regions)
        Row: the seed, where it is 1.
    """
    return gaussian_decay(cortex.distances, _HALF_DISTANCE)


def _artifact_name(cortex: Parcels, n_shapes: int, seed: int, sizes: str) -> str:
    kind = "-all" if sizes == "all" else ""
    return f"cortex/patches-{cortex.name}-{n_shapes}-{seed}{kind}.npz"


def _grow(cortex: Parcels, n_shapes: int, seed: int, sizes: str) -> NDArray[np.bool_]:
    members = np.zeros((cortex.n_regions, n_shapes, cortex.n_regions), dtype=bool)
    for region in range(cortex.n_regions):
        rng = np.random.default_rng([seed, DICTIONARY_PATCHES, region])
        patches = _of_all_sizes(cortex, region, n_shapes, rng) if sizes == "all" else []
        if len(patches) < n_shapes:
            patches += _as_the_paper(cortex, region, n_shapes - len(patches), rng)
        for k, patch in enumerate(patches):
            members[region, k, patch] = True
    return members.reshape(-1, cortex.n_regions)


def _of_all_sizes(
    cortex: Parcels, region: int, n_shapes: int, rng: np.random.Generator
) -> list[NDArray]:
    """Return the parcel alone, patches of any size, and those of whole rings."""
    sized = sized_candidates(cortex, region, n_sizes=_N_SIZED, rng=rng)
    reach, rounds = np.arange(cortex.n_regions) == region, []
    for _ in range(_N_ROUND):
        reach = reach | cortex.adjacency[reach].any(axis=0)
        rounds.append(np.flatnonzero(reach))
    return [*sized, *rounds][:n_shapes]


def _as_the_paper(
    cortex: Parcels, region: int, n_shapes: int, rng: np.random.Generator
) -> list[NDArray]:
    """Return patches grown as the paper's, all different where so many are."""
    grown = patch_candidates(cortex, region, rng=rng)
    different = list({tuple(np.sort(patch)): patch for patch in grown}.values())
    order = rng.permutation(len(different))
    return [different[order[k % len(order)]] for k in range(n_shapes)]
