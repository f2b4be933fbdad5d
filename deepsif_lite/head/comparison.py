"""How far two leadfields differ, and what separates ours from the published one.

The measures are those of the forward-modeling literature: topography correlation,
relative difference measure and magnitude (Meijs et al. 1989, IEEE Transactions on
Biomedical Engineering 36, 1038-1049), each of a parcel's scalp map after average
reference.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..signals import average_reference
from .model import head_file, load_head_model, sum_over_parcels, topography_correlation
from .template import VARIANT_FREQUENCY
from .variants import Cap, Geometry, build_gains

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

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


def relative_difference(leadfield: NDArray, reference: NDArray) -> NDArray:
    """Compare the shapes of two leadfields: relative difference measure, RDM.

    Each scalp map is average-referenced and divided by its norm; the RDM is the norm
    of the difference. With the topography correlation r, RDM = sqrt(2 (1 - r)).

    Parameters
    ----------
    leadfield, reference : array of shape (n_channels, n_regions)

    Returns
    -------
    array of shape (n_regions,)
        0 (same shape) to 2 (same shape, opposite sign).
    """
    maps = [average_reference(gain) for gain in (leadfield, reference)]
    ours, theirs = (gain / np.linalg.norm(gain, axis=0) for gain in maps)
    return np.linalg.norm(ours - theirs, axis=0)


def log_magnitude(leadfield: NDArray, reference: NDArray) -> NDArray:
    """Compare the sizes of two leadfields: natural logarithm of the magnitude, ln MAG.

    Parameters
    ----------
    leadfield, reference : array of shape (n_channels, n_regions)

    Returns
    -------
    array of shape (n_regions,)
        Logarithm of the ratio of the norms of the average-referenced scalp maps:
        0 for equal sizes, positive where ``leadfield`` is larger.
    """
    maps = [average_reference(gain) for gain in (leadfield, reference)]
    ours, theirs = (np.linalg.norm(gain, axis=0) for gain in maps)
    return np.log(ours / theirs)


def parcel_maps(leadfield: NDArray, reference: NDArray) -> dict[str, NDArray]:
    """Compare two leadfields parcel by parcel with all three measures.

    Parameters
    ----------
    leadfield, reference : array of shape (n_channels, n_regions)

    Returns
    -------
    dict of str to array of shape (n_regions,)
        ``correlation``, ``rdm`` and ``log_magnitude``.
    """
    return {
        "correlation": topography_correlation(leadfield, reference),
        "rdm": relative_difference(leadfield, reference),
        "log_magnitude": log_magnitude(leadfield, reference),
    }


def agreement(leadfield: NDArray, published: NDArray) -> dict[str, float]:
    """Summarize how a leadfield agrees with the published one.

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
    return _summary(parcel_maps(leadfield, published))


def _summary(maps: dict[str, NDArray]) -> dict[str, float]:
    correlation = maps["correlation"]
    return {
        "median": float(np.median(correlation)),
        "percentile_5": float(np.percentile(correlation, 5)),
        "rdm": float(np.median(maps["rdm"])),
        "magnitude": float(np.median(np.exp(-maps["log_magnitude"]))),
        "reversed": int((correlation < 0).sum()),
    }


def compare_with_published(
    geometries: dict[str, Geometry] | None = None,
    *,
    frequency: int = VARIANT_FREQUENCY,
) -> tuple[pd.DataFrame, dict[str, NDArray]]:
    """Change one thing at a time and compare with the published leadfield.

    Each head is compared twice: with electrodes where the 10-10 system puts them, and
    where the published leadfield has them. A BEM run a head: half a minute.

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
    maps : dict of str to array of shape (n_regions,)
        The measures of :func:`parcel_maps`, by ``"<change>/<electrodes>/<measure>"``;
        sizes are ours over the published.

    Raises
    ------
    RecordingUnavailable
        The published files cannot be reached.
    """
    import pandas as pd

    published = load_head_model("published-75")
    caps = [Cap(), Cap(layout="published")]
    rows, maps = [], {}
    for change, geometry in (geometries or COMPARED_GEOMETRIES).items():
        gains = build_gains(geometry, caps, published.cortex, frequency=frequency)
        for cap, (_, gain) in zip(caps, gains, strict=True):
            leadfield = sum_over_parcels(gain, published.cortex)
            found = parcel_maps(leadfield, published.leadfield)
            name = f"{change}/{cap.layout}"
            rows.append({"change": change, "electrodes": cap.layout, **_summary(found)})
            maps |= {f"{name}/{measure}": values for measure, values in found.items()}
        logger.info("compared: %s", change)
    return pd.DataFrame(rows), maps


def store_comparison(folder: Path | None = None) -> Path:
    """Compute the table of :func:`compare_with_published` and store it.

    Run as ``python -m deepsif_lite.head``.

    Parameters
    ----------
    folder : pathlib.Path | None
        None: ``data/head`` of the package.

    Returns
    -------
    pathlib.Path
        ``comparison.csv``; the maps go to ``comparison.npz`` beside it.
    """
    path = head_file("comparison.csv", folder)
    table, maps = compare_with_published()
    table.to_csv(path, index=False, float_format="%.4f")
    small = {key: value.astype(np.float32) for key, value in maps.items()}
    np.savez_compressed(path.with_suffix(".npz"), **small)
    return path


def load_comparison() -> tuple[pd.DataFrame, dict[str, NDArray]]:
    """Read what :func:`store_comparison` stored; see :func:`compare_with_published`."""
    import pandas as pd

    path = head_file("comparison.csv")
    with np.load(path.with_suffix(".npz")) as stored:
        return pd.read_csv(path), {key: stored[key] for key in stored.files}
