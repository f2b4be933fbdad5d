"""``deepsif-lite evaluate``: score a network on synthetic recordings."""

from __future__ import annotations

import argparse
from pathlib import Path

from .shared import SPIKES_HELP, add_command, add_resting, load_resting, say


def _number_or_name(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def add(commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "evaluate",
        _run,
        "Score a network, sLORETA and LCMV on fresh synthetic recordings; writes one "
        "row a source as CSV and prints the means over recordings.",
    )
    parser.add_argument("--model", default="lite-75", help="shipped name or folder")
    parser.add_argument("--spikes", default="lite", help=SPIKES_HELP)
    parser.add_argument("--samples", type=int, default=300, help="recordings in a set")
    parser.add_argument("--sources", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument(
        "--methods", nargs="+", default=["deepsif"], help="deepsif, sloreta, lcmv"
    )
    parser.add_argument(
        "--selections",
        "--variants",  # its former name
        nargs="+",
        type=_number_or_name,
        default=["corrected", "probability"],
        help="how regions are selected: corrected, published, map, probability, or the "
        "probability from which on a region counts",
    )
    parser.add_argument(
        "--synthesis",
        default="corrected",
        choices=["corrected", "published"],
        help="rule by which the recordings are made",
    )
    add_resting(parser)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default="evaluation.csv", help="file to write")
    parser.add_argument(
        "--card",
        action="store_true",
        help="write the means on the network's card as well",
    )


def _run(arguments: argparse.Namespace) -> None:
    from ..evaluation.synthetic import evaluate
    from ..evaluation.tables import card_scores, per_sample, summary
    from ..imaging.imager import load_model
    from ..network.cards import write_card_scores
    from ..paths import whole_file
    from ..spikes.library import load_spike_library

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
        resting=load_resting(arguments.resting),
        resting_share=arguments.resting_share,
    )
    out = Path(arguments.out)
    with whole_file(out) as partial:
        table.to_csv(partial, index=False)
    means = summary(per_sample(table), by=["method", "selection", "n_sources"])
    say(means.xs("mean", axis=1, level=1).round(3).to_string())
    say(out)
    if arguments.card:
        say(write_card_scores(arguments.model, card_scores(table, arguments.seed)))
