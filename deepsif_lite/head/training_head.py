"""What training needs of a head model, in one file.

A head model is put together with MNE and nilearn, which a rented GPU need not have.
Its pack holds the numbers training reads: leadfield, electrodes and parcels. Those of
the shipped head models are in ``data/training``; ``deepsif-lite pack`` makes others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from ..cortex.parcels import Parcels
from ..paths import data_dir

if TYPE_CHECKING:
    from .model import HeadModel

_PARCELS = ("region_of_vertex", "areas", "inflated_centroids")


@dataclass(frozen=True, eq=False)
class TrainingHead:
    """The part of a :class:`~deepsif_lite.HeadModel` that networks learn from.

    Attributes
    ----------
    name : str
    leadfield : array of shape (n_channels, n_regions)
        V/(A m).
    ch_names : list of str
    electrodes : array of shape (n_channels, 3)
        Meters.
    cortex : Parcels
    """

    name: str
    leadfield: NDArray
    ch_names: list[str]
    electrodes: NDArray
    cortex: Parcels


def pack_head(head: HeadModel, path: str | Path) -> Path:
    """Write what training needs of a head model.

    Parameters
    ----------
    head : HeadModel
    path : path
        An ``.npz`` file; its folder is created.

    Returns
    -------
    path : Path
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    cortex = head.cortex
    np.savez_compressed(
        path,
        name=head.name,
        leadfield=head.leadfield,
        ch_names=np.array(head.ch_names),
        electrodes=head.electrodes,
        cortex=cortex.name,
        centroids=cortex.centroids,
        touching=np.argwhere(cortex.adjacency).astype(np.int16),
        **{key: getattr(cortex, key) for key in _PARCELS},
    )
    return path


def load_training_head(name_or_path: str | Path = "template-75"):
    """Load a head model for training.

    Parameters
    ----------
    name_or_path : str | path
        A name that :func:`deepsif_lite.load_head_model` knows, or a file of
        :func:`pack_head`.

    Returns
    -------
    head : TrainingHead | HeadModel
        The pack where there is one; a head model without needs MNE and nilearn.

    Raises
    ------
    ValueError
        There is neither such a file nor such a head model.
    """
    for path in (
        data_dir() / "training" / f"{name_or_path}.npz",
        Path(name_or_path),
    ):
        if path.is_file():
            return _read(path)
    from .model import load_head_model

    return load_head_model(str(name_or_path))


def _read(path: Path) -> TrainingHead:
    with np.load(path) as stored:
        n_regions = stored["leadfield"].shape[1]
        region, other = stored["touching"].astype(int).T
        parcels = Parcels(
            name=str(stored["cortex"]),
            n_regions=n_regions,
            distances=cdist(stored["centroids"], stored["centroids"]),
            neighbors=[other[region == r] for r in range(n_regions)],
            **{key: stored[key] for key in _PARCELS},
        )
        return TrainingHead(
            name=str(stored["name"]),
            leadfield=stored["leadfield"],
            ch_names=stored["ch_names"].tolist(),
            electrodes=stored["electrodes"],
            cortex=parcels,
        )
