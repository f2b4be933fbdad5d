"""``deepsif-lite train``: train a network."""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from typing import Any

from .shared import SPIKES_HELP, add_command, add_resting, load_resting, say

_OVERRIDES = (
    "n_steps",
    "batch_size",
    "learning_rate",
    "n_sources",
    "electrode_jitter",
    "n_times",
    "ema_decay",
)
"""Fields of the configuration that are the profile's unless they are given."""


def add(commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "train",
        _run,
        "Train a network; call again to go on training. Under torchrun, processes "
        "share the work.",
        resumes=True,
    )
    parser.add_argument(
        "--head", default="template-75", help="head model, or a file of pack"
    )
    parser.add_argument("--network", default="lite", help="lite or paper")
    parser.add_argument(
        "--profile", default="lite", help="size of the run: smoke, lite or paper"
    )
    parser.add_argument("--spikes", default="lite", help=SPIKES_HELP)
    _add_overrides(parser)
    parser.add_argument(
        "--precision", default="auto", help="float32, bfloat16, float16 or auto"
    )
    add_resting(parser)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--initial", help="network to start from")
    parser.add_argument("--device", help="cpu or cuda; by default what there is")
    parser.add_argument("--max-minutes", type=float, help="stop after this long")
    parser.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="go on from the checkpoint in --out",
    )
    parser.add_argument("--out", required=True, help="folder of the run")


def _add_overrides(parser: argparse.ArgumentParser) -> None:
    """Add the fields of the configuration that a profile sets."""
    chosen = "; by default the profile's"
    parser.add_argument(
        "--steps", dest="n_steps", type=int, help="optimizer steps" + chosen
    )
    parser.add_argument("--batch-size", type=int, help="samples a step" + chosen)
    parser.add_argument("--learning-rate", type=float, help="at its peak" + chosen)
    parser.add_argument(
        "--n-sources", type=int, nargs="+", help="one is drawn a sample" + chosen
    )
    parser.add_argument(
        "--electrode-jitter",
        type=float,
        nargs=2,
        metavar=("LEAST", "MOST"),
        help="electrodes of a sample are this far beside the head's, m" + chosen,
    )
    parser.add_argument(
        "--n-times", type=int, help="window, samples; by default that of the clips"
    )
    parser.add_argument(
        "--ema-decay", type=float, help="average weights over steps" + chosen
    )


def _run(arguments: argparse.Namespace) -> None:
    from ..head.training_head import load_training_head
    from ..spikes.library import load_spike_library
    from ..training.config import configuration_of
    from ..training.run import train

    # Without tqdm, progress comes as lines of the log.
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    given = {name: getattr(arguments, name) for name in _OVERRIDES}
    overrides: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given.items()
        if value is not None
    }
    config = replace(
        configuration_of(arguments.profile, arguments.network),
        seed=arguments.seed,
        resting_share=arguments.resting_share,
        precision=arguments.precision,
        **overrides,
    )
    head = load_training_head(arguments.head)
    written = train(
        head,
        load_spike_library(arguments.spikes, "train", head.cortex),
        arguments.out,
        config=config,
        resting=load_resting(arguments.resting),
        initial=arguments.initial,
        device=arguments.device,
        max_minutes=arguments.max_minutes,
        resume=arguments.resume,
    )
    say(written)
