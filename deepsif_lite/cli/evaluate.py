"""``deepsif-lite evaluate``: score a network on synthetic recordings."""

from __future__ import annotations

import argparse
from collections.abc import Collection

from .shared import (
    SPIKES_HELP,
    add_command,
    add_resting,
    choice,
    load_resting,
    new_file,
    number,
    say,
)


def _methods() -> Collection[str]:
    from ..solvers.methods import METHODS

    return METHODS


def _selection(text: str) -> float | str:
    from ..metrics.extent import RULES

    try:
        float(text)
    except ValueError:
        return choice(lambda: RULES)(text)
    return number(float, 0, 1)(text)


def add(commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "evaluate",
        _run,
        "Score a network, and solvers if asked for, on fresh synthetic recordings; "
        "writes one row a source as CSV and prints the means over recordings.",
    )
    parser.add_argument("--model", default="lite", help="shipped name or folder")
    parser.add_argument("--spikes", default="lite", help=SPIKES_HELP)
    parser.add_argument(
        "--samples", type=number(int, 1), default=300, help="recordings in a set"
    )
    parser.add_argument(
        "--sources",
        type=number(int, 1),
        nargs="+",
        default=[1, 2, 3],
        help="sources in a recording; a set each",
    )
    _add_judgement(parser)
    parser.add_argument(
        "--synthesis",
        default="corrected",
        choices=["corrected", "published"],
        help="rule by which the recordings are made",
    )
    add_resting(parser)
    parser.add_argument(
        "--seed", type=number(int, 0), default=0, help="of the recordings"
    )
    parser.add_argument(
        "--out", type=new_file(), default="evaluation.csv", help="file to write"
    )
    parser.add_argument(
        "--card",
        action="store_true",
        help="write the means on the network's card as well",
    )


def _add_judgement(parser: argparse.ArgumentParser) -> None:
    """Add what is scored, and how."""
    parser.add_argument(
        "--methods",
        nargs="+",
        type=choice(_methods),
        default=["deepsif"],
        help="deepsif, sloreta, lcmv, cmem, fast-ires, champagne, mne, dspm",
    )
    parser.add_argument(
        "--selections",
        "--variants",  # its former name
        nargs="+",
        type=_selection,
        default=["corrected", "probability"],
        help="how regions are selected: samples, corrected, published, map, mean, "
        "probability, or the probability from which on a region counts",
    )


def _run(arguments: argparse.Namespace) -> None:
    from ..evaluation.synthetic import evaluate
    from ..evaluation.tables import card_scores, per_sample, summary
    from ..imaging.loading import load_model
    from ..network.cards import write_card_scores
    from ..paths import whole_file
    from ..spikes.library import load_spike_library

    resting = load_resting(arguments.resting, arguments.resting_share)
    model = load_model(arguments.model)
    table = evaluate(
        model,
        load_spike_library(arguments.spikes, "test", model.head.cortex),
        methods=arguments.methods,
        selections=arguments.selections,
        n_sources=arguments.sources,
        n_samples=arguments.samples,
        seed=arguments.seed,
        synthesis=arguments.synthesis,
        resting=resting,
        resting_share=arguments.resting_share,
    )
    out = arguments.out
    with whole_file(out) as partial:
        table.to_csv(partial, index=False)
    means = summary(per_sample(table), by=["method", "selection", "n_sources"])
    say(means.xs("mean", axis=1, level=1).round(3).to_string())
    say(out)
    if arguments.card:
        say(write_card_scores(arguments.model, card_scores(table, arguments.seed)))
