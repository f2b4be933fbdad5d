"""Score methods on fresh synthetic recordings (Sun et al. 2022, Fig. 3).

The test sets hold one, two or three sources. A row of the result is one source of
one recording as one method sees it; the paper's numbers are means over recordings.
All methods look at the same recordings, which are made once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import MismatchError, check_option, check_range
from ..imaging.batches import run_batches
from ..metrics.extent import RULES, Selector, activity_map, needs_probability
from ..metrics.maps import average_precision, earth_movers_distance
from ..metrics.scores import Truth
from ..runs import progress_bar
from ..solvers.methods import SOLVERS, get_solver
from .tables import headline_selection, in_units

if TYPE_CHECKING:
    import pandas as pd

    from ..head.model import HeadModel
    from ..imaging.imager import Imager
    from ..spikes.library import SpikeLibrary
    from ..synthesis.samples import Sample

    _Image = tuple[NDArray, NDArray | None]  # activity, probability


class Stream(Protocol):
    """Test recordings by their index, of one head."""

    head: HeadModel

    def __getitem__(self, index: int) -> Sample:
        """Return one recording."""


def evaluate(
    model: Imager | Mapping[str, Imager],
    clips: SpikeLibrary,
    *,
    methods: Sequence[str] | None = None,
    selections: Sequence[str | float] | None = None,
    n_sources: Sequence[int] = (1, 2, 3),
    n_samples: int = 300,
    seed: int = 0,
    head: HeadModel | None = None,
    synthesis: str | Sequence[str] = "corrected",
    make_stream: Callable[..., Stream] | None = None,
    first: int = 0,
    transport: bool = False,
    n_jobs: int = -1,
    progress: bool = True,
    **options,
) -> pd.DataFrame:
    """Make test sets and score each method on every source in them.

    Parameters
    ----------
    model : Imager | mapping of str to Imager
        The network called ``"deepsif"``, or several by name. The head model of the
        first serves the solvers.
    clips : SpikeLibrary
        Clips that training has not seen.
    methods : sequence of str | None
        Names of networks and of :data:`deepsif_lite.solvers.SOLVERS`; by default all.
    selections : sequence of (str | float) | None
        How active regions are selected, each a rule of
        :func:`deepsif_lite.metrics.select_regions`. Rules that look at the
        probability have no rows for methods that give none. By default the rule that
        each method is judged by, see :func:`headline`.
    n_sources : sequence of int
        One test set each.
    n_samples : int
        Recordings in each set.
    seed : int
        Key of the test sets.
    head : HeadModel | None
        Makes the recordings; by default that of the first network. Another one tests
        what happens when the head of the training is not the head of the test.
    synthesis : {"corrected", "published"} | sequence of str
        Rule by which the recordings are made: ``variant`` of
        :class:`deepsif_lite.SyntheticEEG`.
    make_stream : callable | None
        Makes the recordings, called as :class:`deepsif_lite.SyntheticEEG` is, which is
        the default; see :class:`ControlledEEG` and :class:`IndependentEEG`.
    first : int
        Index of the first recording: a long evaluation can be done in parts.
    transport : bool
        Compute ``emd_mm`` too, which takes a second an image.
    n_jobs : int
        Threads; the result does not depend on it.
    progress : bool
        Show a progress bar.
    **options
        Passed to :class:`deepsif_lite.SyntheticEEG` or ``make_stream``.

    Returns
    -------
    DataFrame
        One row a method, selection and source: ``method``, ``selection``,
        ``n_sources``, ``sample``, ``source``, ``seed_region``, ``snr_db``,
        ``depth_mm`` (of the seed, to the nearest electrode), ``apart_mm`` (to the
        nearest other seed, NaN where there is none), ``detected``, ``precision``,
        ``recall`` (0 when missed), ``recall_detected`` (NaN when missed),
        ``correlation``, ``error_mm``, ``area_true_cm2``, ``area_found_cm2``. Of the
        whole recording, the same in each of its rows: ``average_precision`` (of the
        probability where there is one, of the root mean square over time elsewhere)
        and, with ``transport``, ``emd_mm`` (earth mover's distance of the root mean
        squares of image and truth).

    Raises
    ------
    OptionError
        A method or selection is unknown.
    MismatchError
        The heads of the recordings and of the networks do not share their channels.
    """
    import pandas as pd

    from ..synthesis.stream import SyntheticEEG

    make = cast("Callable[..., Stream]", make_stream or SyntheticEEG)
    networks = dict(model) if isinstance(model, Mapping) else {"deepsif": model}
    known_head = next(iter(networks.values())).head
    head = known_head if head is None else head
    methods = (*networks, *SOLVERS) if methods is None else tuple(methods)
    _check(networks, methods, selections, head)
    rows: list[dict] = []
    bar = progress_bar(progress, total=n_samples * len(n_sources), unit="EEG")
    with bar:
        for count in n_sources:
            stream = make(
                head,
                clips,
                n_sources=count,
                seed=seed + count,
                variant=synthesis,
                **options,
            )
            images = partial(_images, networks, methods, known_head)
            work = partial(_score_batch, stream, images, selections, transport)
            for batch in run_batches(work, n_samples, n_jobs, first):
                rows += [row for recording in batch for row in recording]
                bar.update(len(batch))
    return pd.DataFrame(rows)


def across_heads(
    model: Imager | Mapping[str, Imager],
    clips: SpikeLibrary,
    heads: Mapping[str, HeadModel | Sequence[HeadModel]],
    *,
    n_samples: int = 300,
    seed: int = 0,
    **options,
) -> pd.DataFrame:
    """Score methods on recordings of heads that they do not know.

    Parameters
    ----------
    model, clips
        As for :func:`evaluate`.
    heads : mapping of str to (HeadModel | sequence of HeadModel)
        Each makes ``n_samples`` recordings of each test set; several heads of one
        name share them, the ``k``-th with seed ``seed + 10 k``.
    n_samples, seed : int
        As for :func:`evaluate`.
    **options
        Passed to :func:`evaluate`.

    Returns
    -------
    DataFrame
        As of :func:`evaluate`, with the column ``head`` in front.
    """
    import pandas as pd

    parts = []
    for name, members in heads.items():
        members = members if isinstance(members, Sequence) else (members,)
        share = max(n_samples // len(members), 1)
        for k, head in enumerate(members):
            rows = evaluate(
                model,
                clips,
                head=head,
                n_samples=share,
                seed=seed + 10 * k,  # apart by more than the sources of a test set
                **options,
            )
            rows["sample"] += k * share  # recordings of one name count through
            rows.insert(0, "head", name)
            parts.append(rows)
    return pd.concat(parts, ignore_index=True)


def _check(
    networks: Mapping[str, Imager],
    methods: Sequence[str],
    selections: Sequence[str | float] | None,
    head: HeadModel,
) -> None:
    for method in methods:
        check_option("method", method, (*networks, *SOLVERS))
    for selection in selections or ():
        if isinstance(selection, str):
            check_option("selection", selection, RULES)
        else:
            check_range("selection", selection, 0, 1)
    for name, network in networks.items():
        if list(head.ch_names) != list(network.head.ch_names):
            msg = (
                f"head {head.name!r} and {network.head.name!r} of network {name!r} "
                "differ in channels; give a head with the network's electrodes."
            )
            raise MismatchError(msg)


def _images(
    networks: Mapping[str, Imager],
    methods: Sequence[str],
    head: HeadModel,
    eeg: NDArray,
) -> Iterator[dict[str, _Image]]:
    """Yield for each recording what each method makes of it."""
    seen = {
        name: network.predict_with_probability(eeg)
        for name, network in networks.items()
        if name in methods
    }
    for k, window in enumerate(eeg):
        images = {}
        for method in methods:
            if method in seen:
                activity, probability = seen[method]
                likely = None if probability is None else probability[k]
                images[method] = activity[k], likely
            else:
                images[method] = get_solver(method)(window, head), None
        yield images


def _score_batch(
    stream: Stream,
    images: partial[Iterator[dict[str, _Image]]],
    selections: Sequence[str | float] | None,
    transport: bool,
    indices: range,
) -> list[list[dict]]:
    """Make recordings and score the methods; return the rows of each."""
    samples = [stream[i] for i in indices]
    seen = images(np.stack([sample.eeg for sample in samples]))
    head = cast("HeadModel", stream.head)  # evaluations never take a training head
    return [
        list(_score_sample(index, sample, of_methods, head, selections, transport))
        for index, sample, of_methods in zip(indices, samples, seen, strict=True)
    ]


def _score_sample(
    index: int,
    sample: Sample,
    images: Mapping[str, _Image],
    head: HeadModel,
    selections: Sequence[str | float] | None,
    transport: bool,
) -> Iterator[dict]:
    """Yield one row a method, selection and source of one recording."""
    facts = _facts(sample, head)
    truth = Truth(sample.activity, sample.patches, head.cortex)
    for method, (activity, probability) in images.items():
        selector = Selector(activity, probability)
        of_map = _score_map(activity, probability, sample, head, transport)
        rules = [
            rule
            for rule in selections or (headline_selection(method),)
            if probability is not None or not needs_probability(rule)
        ]
        found = [selector.select(rule) for rule in rules]
        for rule, scores in zip(rules, truth.scores(activity, found), strict=True):
            row = {"method": method, "selection": rule, "sample": index}
            for fact, score in zip(facts, scores, strict=True):
                yield row | fact | in_units(score) | of_map


def _score_map(
    activity: NDArray,
    probability: NDArray | None,
    sample: Sample,
    head: HeadModel,
    transport: bool,
) -> dict[str, float]:
    """Score the map of a recording as a whole, without a threshold."""
    strength = activity_map(activity)
    regions = np.unique(np.concatenate(sample.patches))
    ranked = strength if probability is None else probability
    scores = {"average_precision": average_precision(ranked, regions)}
    if transport:
        truth, distances = activity_map(sample.activity), head.cortex.distances
        scores["emd_mm"] = 1e3 * earth_movers_distance(strength, truth, distances)
    return scores


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
