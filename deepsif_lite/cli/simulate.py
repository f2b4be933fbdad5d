"""``deepsif-lite simulate``: a spike library of one's own."""

from __future__ import annotations

import argparse
from collections.abc import Collection

from ..profiles import PROFILES
from .shared import add_command, choice, new_folder, number, say


def _connectomes() -> Collection[str]:
    from ..neural_mass.connectome import CONNECTOMES

    return CONNECTOMES


def add(commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "simulate",
        _run,
        "Build a library of simulated spikes, training and test split; call again to "
        "finish a build that was stopped.",
    )
    parser.add_argument(
        "--profile",
        choices=PROFILES,
        default="lite",
        metavar="PROFILE",
        help="smoke, lite or paper",
    )
    parser.add_argument(
        "--connectome",
        type=choice(_connectomes),
        default="template",
        help="template or published",
    )
    parser.add_argument(
        "--seed", type=number(int, 0), default=0, help="of the simulations"
    )
    parser.add_argument("--jobs", type=int, default=-1, help="worker processes")
    parser.add_argument(
        "--out", type=new_folder, default="spikes", help="folder of the library"
    )


def _run(arguments: argparse.Namespace) -> None:
    from ..neural_mass.connectome import load_connectome
    from ..profiles import get_profile
    from ..spikes.build import build_spike_library
    from ..spikes.library import library_path
    from ..spikes.report import read_report, report_lines

    profile = get_profile(arguments.profile)
    build_spike_library(
        profile,
        arguments.out,
        connectome=load_connectome(arguments.connectome),
        seed=arguments.seed,
        n_jobs=arguments.jobs,
    )
    for line in report_lines(read_report(arguments.out / profile.name)):
        say(line)
    for split in ("train", "test"):
        say(library_path(arguments.out / profile.name, split))
