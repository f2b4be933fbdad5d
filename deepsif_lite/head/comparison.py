"""How far two leadfields differ, and what separates ours from the published one.

The measures are those of the forward-modeling literature: topography correlation,
relative difference measure and magnitude (Meijs et al. 1989, IEEE Transactions on
Biomedical Engineering 36, 1038-1049), each of a parcel's scalp map after average
reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..artifacts import artifact_path, read_artifact, write_arrays
from ..runs import progress_bar
from ..signals import average_reference
from .loading import load_head_model
from .model import sum_over_parcels, topography_correlation
from .variants import Cap, Geometry, build_gains

if TYPE_CHECKING:
    import pandas as pd

_ARTIFACT = "head/comparison.npz"

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


def compare_leadfields(leadfield: NDArray, reference: NDArray) -> dict[str, NDArray]:
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


def summarize_comparison(measures: Mapping[str, NDArray]) -> dict[str, float]:
    """Reduce a comparison over the parcels to a few numbers.

    Parameters
    ----------
    measures : mapping of str to array of shape (n_regions,)
        Of :func:`compare_leadfields`.

    Returns
    -------
    dict
        ``median`` and ``percentile_5`` of the topography correlation, ``rdm`` (median
        relative difference measure, 0 to 2), ``magnitude`` (median ratio of sizes,
        reference over leadfield) and ``reversed`` (parcels with the opposite sign).
    """
    correlation = measures["correlation"]
    return {
        "median": float(np.median(correlation)),
        "percentile_5": float(np.percentile(correlation, 5)),
        "rdm": float(np.median(measures["rdm"])),
        "magnitude": float(np.median(np.exp(-measures["log_magnitude"]))),
        "reversed": int((correlation < 0).sum()),
    }


def compare_geometries(
    geometries: Mapping[str, Geometry] = COMPARED_GEOMETRIES,
    *,
    progress: bool = True,
) -> dict[str, NDArray]:
    """Change one thing at a time and compare with the published leadfield.

    Each head is compared twice: with electrodes where the 10-10 system puts them, and
    where the published leadfield has them. A BEM run a head: half a minute.

    Parameters
    ----------
    geometries : mapping of str to Geometry
        What to change, by a name for it.
    progress : bool
        Show a progress bar.

    Returns
    -------
    maps : dict of str to array of shape (n_regions,)
        The measures of :func:`compare_leadfields`, ours beside the published, by
        ``"<change>/<electrodes>/<measure>"``.

    Raises
    ------
    RecordingUnavailable
        The published files cannot be reached.
    """
    published = load_head_model("published-75")
    caps = [Cap(), Cap(layout="published")]
    maps: dict[str, NDArray] = {}
    bar = progress_bar(progress, total=len(geometries), desc="compared", unit="head")
    with bar:
        for change, geometry in geometries.items():
            gains = build_gains(geometry, caps, published.cortex)
            for cap, (_, gain) in zip(caps, gains, strict=True):
                leadfield = sum_over_parcels(gain, published.cortex)
                measures = compare_leadfields(leadfield, published.leadfield)
                name = f"{change}/{cap.layout}"
                maps |= {f"{name}/{key}": values for key, values in measures.items()}
            bar.update()
    return maps


def tabulate_comparison(maps: Mapping[str, NDArray]) -> pd.DataFrame:
    """Bring the maps of :func:`compare_geometries` into a table.

    Parameters
    ----------
    maps : mapping of str to array of shape (n_regions,)

    Returns
    -------
    table : DataFrame
        A row for each change and set of electrodes: columns ``change``, ``electrodes``
        and those of :func:`summarize_comparison`, to four digits.
    """
    import pandas as pd

    heads: dict[tuple[str, str], dict[str, NDArray]] = {}
    for name, values in maps.items():
        change, electrodes, measure = name.rsplit("/", 2)
        heads.setdefault((change, electrodes), {})[measure] = values
    rows = [
        {"change": change, "electrodes": electrodes, **summarize_comparison(measures)}
        for (change, electrodes), measures in heads.items()
    ]
    return pd.DataFrame(rows).round(4)


def store_comparison(root: str | Path | None = None) -> Path:
    """Compute the maps of :func:`compare_geometries` and store them."""
    small = {name: x.astype(np.float32) for name, x in compare_geometries().items()}
    return write_arrays(artifact_path(_ARTIFACT, root), small)


def load_comparison_maps() -> dict[str, NDArray]:
    """Read the stored maps of :func:`compare_geometries`.

    Raises
    ------
    ArtifactError
        The file is damaged.
    """
    return read_artifact(_ARTIFACT, "comparison")
