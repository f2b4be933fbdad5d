"""Methods against each other on the same recordings, and scores over the cortex."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from ..cortex.parcels import Parcels

_NEAR = 0.015  # m around a region, whose sources count for it


def compare_methods(
    samples: pd.DataFrame, reference: str, metrics: Sequence[str]
) -> pd.DataFrame:
    """Test whether the scores of methods differ, recording by recording.

    Parameters
    ----------
    samples : DataFrame
        Of :func:`per_sample`: all methods on the same recordings.
    reference : str
        The method that the others are compared with.
    metrics : sequence of str
        Columns.

    Returns
    -------
    DataFrame
        One row a method and metric: ``n`` pairs in which both have a score,
        ``difference`` (median of method minus reference), ``p`` of Wilcoxon's paired
        signed rank test (both sides), and ``p_holm``, corrected for all tests of the
        table (Holm 1979).
    """
    import pandas as pd
    from scipy.stats import wilcoxon

    keys = [key for key in ("n_sources", "sample") if key in samples]
    rows = []
    for metric in metrics:
        wide = samples.pivot_table(metric, keys, "method", sort=False)
        for method in wide.columns.drop(reference):
            pairs = wide[[method, reference]].dropna()
            gap = pairs[method] - pairs[reference]
            p = wilcoxon(gap).pvalue if (gap != 0).any() else 1.0
            facts = {"method": method, "metric": metric, "n": len(gap)}
            rows.append(facts | {"difference": gap.median(), "p": float(p)})
    table = pd.DataFrame(rows).set_index(["method", "metric"])
    return table.assign(p_holm=holm(table["p"].to_numpy()))


def holm(p: NDArray) -> NDArray:
    """Correct P values for their number (Holm 1979): any true null at most at P.

    Parameters
    ----------
    p : array of shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from deepsif_lite.evaluation.comparison import holm
    >>> holm(np.array([0.01, 0.04, 0.03])).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p)
    stepped = p[order] * np.arange(len(p), 0, -1)
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return corrected


def over_cortex(table: pd.DataFrame, metric: str, cortex: Parcels) -> NDArray:
    """Return the mean score of the sources around each region.

    A few sources a region make no map of single regions, so each region shows the mean
    over the sources whose seed lies within 15 mm.

    Parameters
    ----------
    table : DataFrame
        Of :func:`evaluate`, of one method: one row a source.
    metric : str
        Column; sources without a value are left out.
    cortex : Cortex

    Returns
    -------
    array of shape (n_regions,)
        NaN where there is no source.
    """
    table = table.dropna(subset=[metric])
    near = cortex.distances[:, table["seed_region"]] < _NEAR
    count = near.sum(axis=1)
    total = near @ table[metric].to_numpy()
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
