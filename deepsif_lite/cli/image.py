"""``deepsif-lite image``: a recording in, a source image out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from pathlib import Path

from ..errors import ChannelError
from .shared import add_command, choice, new_folder, say, seconds

_CONTRACT = """\
The recording: EEG in V, with positions or standard names of electrodes, free of
artifacts, mains hum and drifts (0.5 Hz high-pass). It is imaged on the electrodes that
it has, eight or more; bad ones are left out. Reference and sampling rate do not matter.
Epochs are averaged; where they are of several conditions, choose one (--condition). Of a
raw recording, give a window of about a second around the event (--tmin, --tmax); or the
name of annotations (--condition spike --tmin -0.5 --tmax 0.5), and what lies around them
is averaged. What is repaired is told as a warning, the rest refused.

In full: help(deepsif_lite.recordings.prepare), and in the book "What can be imaged";
chapter 7 shows how to prepare a recording of your own."""


def _methods() -> Collection[str]:
    from ..solvers.methods import METHODS

    return METHODS


def _estimates() -> Collection[str]:
    from ..solvers.whitening import NOISE

    return NOISE


def add(commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "image",
        _run,
        "Image a recording: writes a source estimate (.stc), a table of regions, a "
        "figure and an HTML report.",
        _CONTRACT,
    )
    parser.add_argument("file", help="evoked, epochs or raw, any format MNE reads")
    parser.add_argument(
        "--method",
        type=choice(_methods),
        default="deepsif",
        help="deepsif, sloreta, lcmv, cmem, fast-ires, champagne, mne or dspm",
    )
    parser.add_argument(
        "--head",
        help="head model; by default template, the template head under the recording's "
        "own electrodes",
    )
    parser.add_argument("--model", help="network: a shipped name or a folder")
    parser.add_argument(
        "--condition",
        help="evoked response (name, or number from 0), event of epochs (name), or "
        "annotations of a raw recording (name), averaged around their times",
    )
    _add_times(parser)
    parser.add_argument(
        "--bads", nargs="+", default=[], metavar="NAME", help="channels to leave out"
    )
    parser.add_argument(
        "--match",
        choices=("name", "position"),
        default="name",
        help="match channels by name or by position",
    )
    parser.add_argument(
        "--out", type=new_folder, default=".", help="folder to write to"
    )


def _add_times(parser: argparse.ArgumentParser) -> None:
    """Add the window, and what is noise."""
    parser.add_argument("--tmin", type=seconds, help="start of the window, s")
    parser.add_argument("--tmax", type=seconds, help="end of the window, s")
    parser.add_argument(
        "--baseline",
        type=seconds,
        nargs=2,
        metavar=("FROM", "TO"),
        help="times without signal (s), to know the noise by",
    )
    parser.add_argument(
        "--noise",
        type=choice(_estimates),
        help="how the noise covariance is estimated from the baseline: diagonal "
        "(of solvers, unless given), ledoit_wolf (of deepsif), shrunk or empirical",
    )


def _run(arguments: argparse.Namespace) -> None:
    from ..imaging.by_method import image
    from ..imaging.report import write_image
    from ..recordings.files import read_evoked
    from ..recordings.windows import crop_window

    path = Path(arguments.file)
    window = arguments.tmin, arguments.tmax
    evoked = read_evoked(path, arguments.condition, *window, arguments.baseline)
    unknown = sorted({*arguments.bads} - {*evoked.ch_names})
    if unknown:
        msg = f"--bads {unknown}: {path.name} has channels {evoked.ch_names}."
        raise ChannelError(msg)
    evoked.info["bads"] += [n for n in arguments.bads if n not in evoked.info["bads"]]
    result = image(
        evoked,
        arguments.method,
        arguments.head,
        tmin=window[0],
        tmax=window[1],
        baseline=arguments.baseline,
        match=arguments.match,
        noise=arguments.noise,
        model=arguments.model,
    )
    shown = crop_window(evoked, *window)
    stem = f"{_stem(path)}-{arguments.method}"
    for written in write_image(result, shown, arguments.out, stem):
        say(written)
    if result.trust is not None:
        sys.stderr.write(f"deepsif-lite: trust: {result.trust.summary}\n")


def _stem(path: Path) -> str:
    """Cut the ending alone: names with other dots in them stay apart."""
    name = path.name[: -len(".gz")] if path.suffix.lower() == ".gz" else path.name
    return Path(name).stem
