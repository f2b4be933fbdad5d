"""Methods against each other on the same recordings, and scores over the cortex."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..results.store import Score

if TYPE_CHECKING:
    import pandas as pd

    from ..cortex.parcels import Parcels

_NEAR = 0.015  # m around a region, whose sources count for it
_DRAWS = 2000  # of the bootstrap; its standard errors are then good to some 2 %


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

    keys = [key for key in ("n_sources", "sample") if key in samples]
    rows = []
    for metric, method, gap in paired_gaps(samples, keys, reference, metrics):
        tested = paired_test(gap)
        facts = {"method": method, "metric": metric, "n": len(gap)}
        rows.append(facts | {name: tested[name] for name in ("difference", "p")})
    table = pd.DataFrame(rows).set_index(["method", "metric"])
    return table.assign(p_holm=holm(table["p"].to_numpy()))


def paired_gaps(
    table: pd.DataFrame, keys: Sequence[str], reference: str, metrics: Sequence[str]
) -> Iterator[tuple[str, str, NDArray]]:
    """Yield each metric and other method with its scores minus the reference's.

    Parameters
    ----------
    table : DataFrame
        One row a method and recording.
    keys : sequence of str
        Columns that say which recording it is; one that either method lacks a score
        for is no pair.
    reference : str
        Of the column ``method``.
    metrics : sequence of str
        Columns.

    Yields
    ------
    metric, method : str
    gap : array of shape (n_pairs,)
    """
    for metric in metrics:
        wide = table.pivot_table(metric, list(keys), "method", sort=False)
        for method in wide.columns.drop(reference):
            pairs = wide[[method, reference]].dropna()
            yield metric, method, (pairs[method] - pairs[reference]).to_numpy()


def paired_test(gap: NDArray, alternative: str = "two-sided") -> dict[str, float]:
    """Test paired differences by Wilcoxon's signed rank test.

    Parameters
    ----------
    gap : array of shape (n_pairs,)
    alternative : {"two-sided", "greater", "less"}
        Side on which the differences are expected.

    Returns
    -------
    dict of str to float
        ``n``, ``difference`` (median), ``p`` (1 where no pair differs) and ``effect``,
        see :func:`rank_biserial`.
    """
    from scipy.stats import wilcoxon

    differs = bool(np.any(gap))
    return {
        "n": len(gap),
        "difference": float(np.median(gap)) if len(gap) else np.nan,
        "p": float(wilcoxon(gap, alternative=alternative).pvalue) if differs else 1.0,
        "effect": rank_biserial(gap) if differs else 0.0,
    }


def rank_biserial(gap: NDArray) -> float:
    """Return the share of ranks above zero minus that below, of paired differences."""
    from scipy.stats import rankdata

    moved = gap[gap != 0]
    ranks = rankdata(np.abs(moved))
    return float((np.sign(moved) * ranks).sum() / ranks.sum())


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


def rise_of_median(after: pd.DataFrame, before: pd.DataFrame, metric: str) -> Score:
    """Return by how much the median of a score rises, on the same recordings.

    Parameters
    ----------
    after, before : DataFrame
        Of :func:`per_sample`, each of one method.
    metric : str
        Column; a recording without a score in either is left out.

    Returns
    -------
    Score
        The difference of the two medians, with its standard error: recordings are drawn
        again in pairs (bootstrap).
    """
    from scipy.stats import bootstrap

    keys = [key for key in ("n_sources", "sample") if key in after]
    pairs = after.merge(before, on=keys, suffixes=("", "_before"))
    pairs = pairs[[metric, f"{metric}_before"]].dropna().to_numpy().T

    def rise(now: NDArray, then: NDArray, axis: int = -1) -> NDArray:
        return np.median(now, axis=axis) - np.median(then, axis=axis)

    drawn = bootstrap(
        pairs, rise, paired=True, n_resamples=_DRAWS, method="percentile", rng=0
    )
    return Score(float(rise(*pairs)), se=float(drawn.standard_error), n=len(pairs[0]))


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
