"""``deepsif-lite train``: train a network."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..profiles import PROFILES
from .shared import (
    SPIKES_HELP,
    add_command,
    add_resting,
    choice,
    load_resting,
    new_folder,
    number,
    say,
)

if TYPE_CHECKING:
    from ..training.config import TrainingConfig

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


def _networks() -> Collection[str]:
    from ..network.build import NETWORKS

    return NETWORKS


def _precisions() -> Collection[str]:
    from ..training.config import PRECISIONS

    return PRECISIONS


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
        "--head",
        default="template",
        help="template (any cap), or the head model or file of pack of one cap",
    )
    parser.add_argument(
        "--network", type=choice(_networks), default="lite", help="lite or paper"
    )
    parser.add_argument(
        "--profile",
        choices=PROFILES,
        default="lite",
        metavar="PROFILE",
        help="size of the run: smoke, lite or paper",
    )
    parser.add_argument("--spikes", default="lite", help=SPIKES_HELP)
    _add_overrides(parser)
    parser.add_argument(
        "--precision",
        type=choice(_precisions),
        default="auto",
        help="float32, bfloat16, float16 or auto",
    )
    add_resting(parser)
    parser.add_argument(
        "--seed", type=number(int, 0), default=0, help="of weights and samples"
    )
    _add_run(parser)
    parser.add_argument(
        "--out", required=True, type=new_folder, help="folder of the run"
    )


def _add_overrides(parser: argparse.ArgumentParser) -> None:
    """Add the fields of the configuration that a profile sets."""
    chosen = "; by default the profile's"
    parser.add_argument(
        "--steps", dest="n_steps", type=number(int, 1), help="optimizer steps" + chosen
    )
    parser.add_argument(
        "--batch-size", type=number(int, 1), help="samples a step" + chosen
    )
    parser.add_argument(
        "--learning-rate",
        type=number(float, 0, open_low=True),
        help="at its peak" + chosen,
    )
    parser.add_argument(
        "--n-sources",
        type=number(int, 0),
        nargs="+",
        help="one is drawn a sample" + chosen,
    )
    parser.add_argument(
        "--electrode-jitter",
        type=number(float, 0),
        nargs=2,
        metavar=("LEAST", "MOST"),
        help="electrodes of a sample are this far beside the head's, m" + chosen,
    )
    parser.add_argument(
        "--n-times",
        type=number(int, 2),
        help="window, samples; by default that of the clips",
    )
    parser.add_argument(
        "--ema-decay",
        type=number(float, 0, 1),
        help="average weights over steps" + chosen,
    )


def _add_run(parser: argparse.ArgumentParser) -> None:
    """Add where a run starts, and where and how long it goes on."""
    parser.add_argument("--initial", help="network to start from")
    parser.add_argument("--device", help="cpu or cuda; by default what there is")
    parser.add_argument(
        "--max-minutes",
        type=number(float, 0, open_low=True),
        help="stop after this long",
    )
    parser.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="go on from the checkpoint in --out",
    )


def _run(arguments: argparse.Namespace) -> None:
    from ..head.training_head import load_training_head
    from ..network.cards import load_card
    from ..runs import pick_device
    from ..spikes.library import load_spike_library
    from ..training.run import train

    # Without tqdm, progress comes as lines of the log.
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = _configuration(arguments)
    pick_device(arguments.device)
    if arguments.initial is not None:
        load_card(arguments.initial)  # says so where there is no such network
    resting = load_resting(arguments.resting, arguments.resting_share)
    head = load_training_head(_montage(arguments))
    written = train(
        head,
        load_spike_library(arguments.spikes, "train", head.cortex),
        arguments.out,
        config=config,
        resting=resting,
        initial=arguments.initial,
        device=arguments.device,
        max_minutes=arguments.max_minutes,
        resume=arguments.resume,
    )
    say(written)


def _options_of(initial: str) -> dict[str, Any]:
    """Return the sizes of a network to start from, which the new one shares."""
    from ..network.cards import load_card

    spec = load_card(initial)["network"]
    own = ("kind", "n_channels", "n_regions", "modality")
    return {name: value for name, value in spec.items() if name not in own}


def _montage(arguments: argparse.Namespace) -> str:
    """Return the head whose montage a network for any cap refers to, or its own."""
    return "template-75" if arguments.head == "template" else arguments.head


def _configuration(arguments: argparse.Namespace) -> TrainingConfig:
    from ..synthesis.variety import Variety
    from ..training.config import (
        ANY_CAP_SIZES,
        ANY_CAP_SOURCES,
        configuration_of,
    )

    given = {name: getattr(arguments, name) for name in _OVERRIDES}
    overrides: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given.items()
        if value is not None
    }
    recipe: dict[str, Any] = {"resting_share": arguments.resting_share}
    if arguments.head == "template" and arguments.network == "lite":
        recipe = {
            "variety": Variety(resting_share=arguments.resting_share),
            "n_sources": ANY_CAP_SOURCES,
            "options": ANY_CAP_SIZES,
        }
    elif arguments.initial is not None:
        recipe["options"] = _options_of(arguments.initial)
    overrides = recipe | overrides
    return replace(
        configuration_of(arguments.profile, arguments.network),
        seed=arguments.seed,
        precision=arguments.precision,
        **overrides,
    )
