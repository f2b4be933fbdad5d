"""``deepsif-lite build``: make the arrays of ``data/`` anew."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import NamedTuple

from ..paths import data_dir
from ..runs import only_run_in
from .shared import add_command, new_folder, say


class _Part(NamedTuple):
    """What makes a part of ``data/``: a function, which gets the folder."""

    module: str
    function: str
    takes: str
    what: str


_PARTS = {
    "cortex": _Part(
        "cortex.parcellation", "store_parcellation", "4 s", "parcels of the template"
    ),
    "dictionary": _Part(
        "cortex.dictionary", "store_dictionaries", "15 s", "patches of parcels"
    ),
    "head": _Part(
        "head.template", "store_template", "90 s", "template head (OpenMEEG)"
    ),
    "scalp": _Part(
        "head.template", "store_scalp", "150 s", "leadfield at any electrodes"
    ),
    "artifacts": _Part(
        "head.artifact_sources",
        "store_artifact_sources",
        "120 s",
        "eyes and muscles (OpenMEEG)",
    ),
    "variants": _Part(
        "head.variants", "store_variants", "720 s", "other heads (OpenMEEG)"
    ),
    "meg": _Part("head.meg", "store_meg", "40 s", "MEG leadfield (OpenMEEG)"),
    "comparison": _Part(
        "head.comparison",
        "store_comparison",
        "270 s",
        "beside the published leadfield (OpenMEEG, published files)",
    ),
    "caps": _Part(
        "head.training_caps",
        "store_cap_sampler",
        "600 s",
        "caps and heads to train on (OpenMEEG)",
    ),
    "checksums": _Part("artifacts", "store_checksums", "0 s", "of texts and tables"),
    "training": _Part(
        "head.training_head", "store_training_heads", "2 s", "heads to train on"
    ),
    "spikes": _Part("spikes.build", "store_spike_library", "900 s", "simulated clips"),
}


def add(commands) -> None:
    """Declare the command."""
    lines = [
        f"  {name:11}{part.takes:>7}  {part.what}" for name, part in _PARTS.items()
    ]
    parser = add_command(
        commands,
        "build",
        _run,
        "Make a part of the shipped data anew, with its content hash.",
        "\n".join(["Parts, and the processor time they take:", *lines]),
    )
    parser.add_argument("part", choices=_PARTS, metavar="part", help="one of the above")
    parser.add_argument(
        "--out", type=new_folder, help="folder in place of data/, laid out alike"
    )


def _run(arguments: argparse.Namespace) -> None:
    part = _PARTS[arguments.part]
    module = import_module(f"..{part.module}", __package__)
    with only_run_in(arguments.out or data_dir()):
        written = getattr(module, part.function)(arguments.out)
    for path in written if isinstance(written, list) else [written]:
        say(path)
