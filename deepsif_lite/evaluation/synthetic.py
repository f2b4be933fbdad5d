"""Score methods on fresh synthetic recordings (Sun et al. 2022, Fig. 3).

The test sets hold one, two or three sources. A row of the result is one source of
one recording as one method sees it; the paper's numbers are means over recordings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..metrics.extent import active_regions, likely_regions
from ..metrics.scores import score_sources
from ..progress import progress_bar
from ..solvers.methods import get_solver

if TYPE_CHECKING:
    import pandas as pd

    from ..head.model import HeadModel
    from ..imaging.imager import Imager
    from ..spikes.library import SpikeLibrary
    from ..synthesis.stream import Sample, SyntheticEEG

# The paper's metrics, and their printed names with units.
METRICS = {
    "precision": "precision",
    "recall": "recall",
    "correlation": "linear correlation",
    "error_mm": "localization error (mm)",
}
_KEYS = ["method", "variant", "n_sources", "sample"]
_BATCH = 32  # recordings in memory at a time, about 4 MB each for each method


def evaluate(
    model: Imager,
    clips: SpikeLibrary,
    *,
    methods: Sequence[str] = ("deepsif", "sloreta", "lcmv"),
    variants: Sequence[str | float] = ("corrected",),
    n_sources: Sequence[int] = (1, 2, 3),
    n_samples: int = 300,
    seed: int = 0,
    head: HeadModel | None = None,
    n_jobs: int = -1,
    progress: bool = True,
    **options,
) -> pd.DataFrame:
    """Make test sets and score each method on every source in them.

    Parameters
    ----------
    model : Imager
        The network of ``"deepsif"``; its head model serves the other methods.
    clips : SpikeLibrary
        Clips that training has not seen.
    methods : sequence of str
        ``"deepsif"`` and names of :data:`deepsif_lite.solvers.SOLVERS`.
    variants : sequence of {"corrected", "published", "map", "probability"} or float
        How active regions are selected. The first two threshold all samples, see
        :func:`deepsif_lite.metrics.active_regions`; ``"map"`` thresholds the root
        mean square over time, which suits estimates that are noisy in time;
        ``"probability"`` takes the regions a network calls more likely active than
        not, and a number in its place those with a higher probability than this;
        they have no rows for methods that give no probability.
    n_sources : sequence of int
        One test set each.
    n_samples : int
        Recordings in each set.
    seed : int
        Key of the test sets.
    head : HeadModel, optional
        Makes the recordings; by default the model's own. Another one tests what
        happens when the head of the training is not the head of the test.
    n_jobs : int
        Threads that score; the result does not depend on it.
    progress : bool
        Show a progress bar.
    **options
        Passed to :class:`deepsif_lite.SyntheticEEG`.

    Returns
    -------
    DataFrame
        One row a method, variant and source: ``method``, ``variant``,
        ``n_sources``, ``sample``, ``source``, ``seed_region``, ``snr_db``,
        ``depth_mm`` (of the seed, to the nearest electrode), ``apart_mm`` (to the
        nearest other seed, NaN where there is none), ``detected``, ``precision``,
        ``recall`` (0 when missed), ``recall_detected`` (NaN when missed),
        ``correlation``, ``error_mm``, ``area_true_cm2``, ``area_found_cm2``.

    Raises
    ------
    ValueError
        ``head`` and the model do not share their channels.
    """
    import pandas as pd
    from joblib import Parallel, delayed
    from threadpoolctl import threadpool_limits

    from ..synthesis.stream import SyntheticEEG

    head = model.head if head is None else head
    if list(head.ch_names) != list(model.head.ch_names):
        msg = f"head {head.name!r} and the model's {model.head.name!r} differ in channels."
        raise ValueError(msg)
    rows: list[dict] = []
    bar = progress_bar(progress, total=n_samples * len(n_sources), unit="EEG")
    with bar, Parallel(n_jobs=n_jobs, prefer="threads") as parallel:
        for count in n_sources:
            stream = SyntheticEEG(
                head, clips, n_sources=count, seed=seed + count, **options
            )
            for start in range(0, n_samples, _BATCH):
                indices = range(start, min(start + _BATCH, n_samples))
                samples = [stream[i] for i in indices]
                images = [(None, None)] * len(samples)
                if "deepsif" in methods:
                    images = _predict(model, np.stack([s.eeg for s in samples]))
                jobs = (
                    delayed(_score_sample)(
                        i, s, p, model.head, stream, methods, variants
                    )
                    for i, s, p in zip(indices, samples, images, strict=True)
                )
                with threadpool_limits(1, user_api="blas"):  # jobs share the cores
                    parts = parallel(jobs)
                rows += [row for part in parts for row in part]
                bar.update(len(indices))
    return pd.DataFrame(rows)


def _predict(
    model: Imager, eeg: np.ndarray
) -> Iterable[tuple[np.ndarray, np.ndarray | None]]:
    """Return activity and, where the network gives it, probability of each window."""
    activity, probability = model.predict_with_probability(eeg)
    if probability is None:
        probability = [None] * len(activity)
    return zip(activity, probability, strict=True)


def _score_sample(
    index: int,
    sample: Sample,
    predicted: tuple[np.ndarray | None, np.ndarray | None],
    head: HeadModel,
    stream: SyntheticEEG,
    methods: Sequence[str],
    variants: Sequence[str | float],
) -> list[dict]:
    """Return one row a method, variant and source of one recording."""
    rows = []
    truth, cortex = sample.activity, head.cortex
    facts = _facts(sample, stream.head)
    for method in methods:
        activity, probability = (
            predicted
            if method == "deepsif"
            else (get_solver(method)(sample.eeg, head), None)
        )
        for variant in variants:
            threshold = 0.5 if variant == "probability" else variant
            if isinstance(threshold, str):
                active = _threshold(activity, variant)
            elif probability is None:
                continue
            else:
                active = likely_regions(probability, threshold)
            scores = score_sources(
                activity, truth, sample.patches, cortex, active=active
            )
            for k, score in enumerate(scores):
                row = {"method": method, "variant": variant, "sample": index}
                rows.append(row | facts[k] | _in_units(score))
    return rows


def _threshold(activity: np.ndarray, variant: str) -> np.ndarray:
    if variant == "map":
        strength = np.sqrt(np.mean(np.square(activity), axis=0))
        return active_regions(strength[None], min_samples=1)
    return active_regions(activity, variant=variant)


def _facts(sample: Sample, head: HeadModel) -> list[dict]:
    """Return what is true of each source of a recording."""
    seeds = np.array([patch[0] for patch in sample.patches])
    apart = head.cortex.distances[np.ix_(seeds, seeds)] * 1e3
    np.fill_diagonal(apart, np.inf)
    return [
        {
            "n_sources": len(seeds),
            "source": k,
            "seed_region": int(seed),
            "snr_db": sample.snr_db,
            "depth_mm": float(head.depth[seed] * 1e3),
            "apart_mm": float(apart[k].min()) if len(seeds) > 1 else np.nan,
        }
        for k, seed in enumerate(seeds)
    ]


def _in_units(score: dict[str, float]) -> dict[str, float]:
    """Return a source's scores in mm and cm^2, a miss as recall 0."""
    recall = score["recall_detected"]
    return {
        "detected": score["detected"],
        "precision": score["precision"],
        "recall": 0.0 if np.isnan(recall) else recall,
        "recall_detected": recall,
        "correlation": score["correlation"],
        "error_mm": score["localization_error"] * 1e3,
        "area_true_cm2": score["area_true"] * 1e4,
        "area_found_cm2": score["area_found"] * 1e4,
    }


def per_sample(table: pd.DataFrame) -> pd.DataFrame:
    """Average the sources of each recording, missed ones dropped as NaN.

    Areas are summed. ``recall`` counts a missed source as 0, ``recall_detected``
    drops it as the paper does.
    """
    groups = table.groupby(_KEYS, sort=False)
    means = groups[["snr_db", "recall_detected", *METRICS, "detected"]].mean()
    areas = groups[["area_true_cm2", "area_found_cm2"]].sum()
    return means.join(areas).reset_index()


def summary(samples: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return mean, standard deviation and median of each metric in each group.

    Parameters
    ----------
    samples : DataFrame
        Of :func:`per_sample`.
    by : sequence of str
        Columns that make the groups.

    Returns
    -------
    DataFrame
        Columns (metric, statistic), one row a group.
    """
    groups = samples.groupby(list(by), sort=False)
    return groups[[*METRICS, "recall_detected"]].agg(["mean", "std", "median"])


def card_scores(table: pd.DataFrame, seed: int) -> dict:
    """Return the means of an evaluation as they stand on a network's card.

    Parameters
    ----------
    table : DataFrame
        Of :func:`evaluate`.
    seed : int
        Key of its test sets.

    Returns
    -------
    dict
        ``test_samples`` in each set, ``seed``, and for each way to select regions the
        means of each set and of ``"all"``; a missed source has recall 0.
    """
    samples = per_sample(table[table["method"] == "deepsif"])
    columns = [*METRICS, "recall_detected", "detected"]
    scores = {"test_samples": int(samples["sample"].nunique()), "seed": seed}
    for variant, part in samples.groupby("variant", sort=False):
        means = part.groupby("n_sources")[columns].mean()
        means.index = [f"{count} sources" for count in means.index]
        means.loc["all"] = part[columns].mean()
        scores[str(variant)] = means.round(4).to_dict("index")
    return scores
