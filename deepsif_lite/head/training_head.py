"""What training needs of a head model, in one file.

A head model is put together with MNE and nilearn, which a rented GPU need not have.
Its pack holds the numbers training reads: leadfield, electrodes and parcels. Those of
the shipped head models are in ``data/training``, made by ``deepsif-lite build
training``; ``deepsif-lite pack`` makes others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from ..artifacts import artifact_path, read_arrays, read_artifact, write_arrays
from ..cortex.parcels import Parcels

if TYPE_CHECKING:
    from .model import HeadModel

_SHIPPED = ("template-75", "template-64")
_PARCELS = ("region_of_vertex", "areas", "inflated_centroids")


@dataclass(frozen=True, eq=False)
class TrainingHead:
    """The part of a :class:`~deepsif_lite.HeadModel` that networks learn from.

    Attributes
    ----------
    name : str
    leadfield : array of shape (n_channels, n_regions)
        V/(A m), of MEG T/(A m).
    ch_names : list of str
    sensors : array of shape (n_channels, 3)
        Electrodes, meters.
    cortex : Parcels
    modality : {"eeg", "meg"}
    """

    name: str
    leadfield: NDArray
    ch_names: list[str]
    sensors: NDArray
    cortex: Parcels
    modality: str = "eeg"


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
    cortex = head.cortex
    arrays = {
        "name": head.name,
        "leadfield": head.leadfield,
        "ch_names": head.ch_names,
        "electrodes": head.sensors,
        "cortex": cortex.name,
        "centroids": cortex.centroids,
        "touching": np.argwhere(cortex.adjacency).astype(np.int16),
        **{key: getattr(cortex, key) for key in _PARCELS},
    }
    if head.modality != "eeg":
        arrays["modality"] = head.modality
    return write_arrays(path, arrays)


def store_training_heads(root: str | Path | None = None) -> list[Path]:
    """Pack the shipped head models and store them."""
    from .loading import load_head_model

    return [
        pack_head(load_head_model(name), artifact_path(_artifact_name(name), root))
        for name in _SHIPPED
    ]


def _artifact_name(head: str | Path) -> str:
    return f"training/{head}.npz"


def load_training_head(
    name_or_path: str | Path = "template-75",
) -> TrainingHead | HeadModel:
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
    OptionError
        There is neither such a file nor such a head model.
    ArtifactError
        The file is damaged.
    """
    shipped = _artifact_name(name_or_path)
    if artifact_path(shipped).is_file():
        return _unpacked(read_artifact(shipped, "training"))
    if Path(name_or_path).is_file():
        cure = f"deepsif-lite pack --out {name_or_path}"
        return _unpacked(read_arrays(name_or_path, restore=cure, hash_needed=False))
    from .loading import load_head_model

    return load_head_model(str(name_or_path))


def _unpacked(stored: dict[str, NDArray]) -> TrainingHead:
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
        sensors=stored["electrodes"],
        cortex=parcels,
        modality=str(stored.get("modality", "eeg")),
    )
