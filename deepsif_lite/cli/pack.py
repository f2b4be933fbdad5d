"""``deepsif-lite pack``: a head model for a machine that only trains."""

from __future__ import annotations

import argparse

from .shared import add_command, new_file, say


def add(commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "pack",
        _run,
        "Write what training needs of a head model, for a machine without MNE and "
        "nilearn. There, give the file to train as --head.",
    )
    parser.add_argument("--head", default="template-75", help="head model")
    parser.add_argument(
        "--out", required=True, type=new_file(".npz"), help="file to write, .npz"
    )


def _run(arguments: argparse.Namespace) -> None:
    from ..head.loading import load_head_model
    from ..head.training_head import pack_head

    say(pack_head(load_head_model(arguments.head), arguments.out))
