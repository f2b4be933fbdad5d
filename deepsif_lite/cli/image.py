"""``deepsif-lite image``: a recording in, a source image out."""

from __future__ import annotations

import argparse
from pathlib import Path

from .shared import add_command, say


def add(commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "image",
        _run,
        "Image a recording: writes a source estimate (.stc), a table of regions, a "
        "figure and an HTML report.",
    )
    parser.add_argument("file", help="evoked, epochs or raw, any format MNE reads")
    parser.add_argument("--method", default="deepsif", help="deepsif, sloreta or lcmv")
    parser.add_argument(
        "--head", help="head model; by default that of --model, or template-75"
    )
    parser.add_argument("--model", help="network: a shipped name or a folder")
    parser.add_argument("--condition", help="evoked response or event, name or number")
    parser.add_argument("--tmin", type=float, help="start of the window, s")
    parser.add_argument("--tmax", type=float, help="end of the window, s")
    parser.add_argument(
        "--baseline",
        type=float,
        nargs=2,
        metavar=("FROM", "TO"),
        help="times without signal (s) for the noise of sloreta and lcmv",
    )
    parser.add_argument(
        "--match", default="name", help="match channels by name or by position"
    )
    parser.add_argument("--out", default=".", help="folder to write to")


def _run(arguments: argparse.Namespace) -> None:
    from ..imaging.imager import image
    from ..imaging.report import write_image
    from ..recordings.files import read_evoked
    from ..recordings.windows import crop_window

    path = Path(arguments.file)
    window = arguments.tmin, arguments.tmax
    evoked = read_evoked(path, arguments.condition, *window, arguments.baseline)
    result = image(
        evoked,
        arguments.method,
        arguments.head,
        tmin=window[0],
        tmax=window[1],
        baseline=arguments.baseline,
        match=arguments.match,
        model=arguments.model,
    )
    shown = crop_window(evoked, *window)
    stem = f"{path.name.split('.')[0]}-{arguments.method}"
    for written in write_image(result, shown, arguments.out, stem):
        say(written)
