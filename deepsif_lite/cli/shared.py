"""What several commands share: how they are declared, print, and take resting EEG."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPIKES_HELP = "spike library: lite, or its folder and stem"

_RESUMES = "all work up to here is kept: call again to go on."
_BEGINS_ANEW = "files that were finished are kept; called again, it begins anew."


class _Formatter(
    argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter
):
    """Show defaults, and keep the lines of a description of several."""


def add_command(
    commands,
    name: str,
    run: Callable[[argparse.Namespace], None],
    text: str,
    more: str = "",
    *,
    resumes: bool = False,
) -> argparse.ArgumentParser:
    """Declare a command.

    Parameters
    ----------
    commands : the action of ``ArgumentParser.add_subparsers``
    name : str
    run : callable
        Gets the parsed arguments.
    text : str
        What it does, for the help.
    more : str
        Lines that the help of this command alone shows.
    resumes : bool
        Stopped and called again, it goes on where it was.

    Returns
    -------
    ArgumentParser
        To add arguments to.
    """
    parser = commands.add_parser(
        name,
        help=text,
        description=f"{text}\n\n{more}" if more else text,
        formatter_class=_Formatter if more else argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.set_defaults(run=run, after_stop=_RESUMES if resumes else _BEGINS_ANEW)
    return parser


def say(text: object) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")


def add_resting(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of resting EEG in the noise."""
    parser.add_argument(
        "--resting",
        help="resting EEG: 'published', or an .npy file (clips, times, channels)",
    )
    parser.add_argument(
        "--resting-share",
        type=float,
        default=0.0,
        help="share of the noise power that is resting EEG instead of white noise",
    )


def load_resting(name: str | None) -> NDArray | None:
    """Load what ``--resting`` names."""
    if name is None:
        return None
    if name == "published":
        from ..recordings.published import load_resting_eeg

        return load_resting_eeg()
    import numpy as np

    from ..errors import FileError

    try:
        return np.load(name, allow_pickle=False)
    except (ValueError, EOFError) as error:
        msg = f"--resting {name} is no .npy file of numbers ({error}); write it anew."
        raise FileError(msg) from error
