"""``deepsif-lite simulate``: a spike library of one's own."""

from __future__ import annotations

import argparse
from pathlib import Path

from .shared import add_command, say


def add(commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "simulate",
        _run,
        "Build a library of simulated spikes, training and test split; call again to "
        "finish a build that was stopped.",
        resumes=True,
    )
    parser.add_argument("--profile", default="lite", help="smoke, lite or paper")
    parser.add_argument("--connectome", default="template", help="or published")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=-1, help="worker processes")
    parser.add_argument("--out", default="spikes", help="folder of the library")


def _run(arguments: argparse.Namespace) -> None:
    from ..neural_mass.connectome import load_connectome
    from ..profiles import get_profile
    from ..spikes.build import build_spike_library
    from ..spikes.library import library_path
    from ..spikes.report import read_report, report_lines

    profile = get_profile(arguments.profile)
    build_spike_library(
        profile,
        Path(arguments.out),
        connectome=load_connectome(arguments.connectome),
        seed=arguments.seed,
        n_jobs=arguments.jobs,
    )
    for line in report_lines(read_report(Path(arguments.out) / profile.name)):
        say(line)
    for split in ("train", "test"):
        say(library_path(Path(arguments.out) / profile.name, split))
