"""What several commands share: how they are declared, print, and take resting EEG."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FileError, OptionError, check_option, check_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPIKES_HELP = "spike library: lite, or its folder and stem"

_RESUMES = "all work up to here is kept: call again to go on."
_BEGINS_ANEW = "files that were finished are kept; called again, it begins anew."


class _Defaults(argparse.ArgumentDefaultsHelpFormatter):
    """Show defaults where there are any."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        nothing = action.default in (None, [], False)
        return action.help if nothing else super()._get_help_string(action)


class _Formatter(argparse.RawDescriptionHelpFormatter, _Defaults):
    """Keep the lines of a description of several as well."""


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
        formatter_class=_Formatter if more else _Defaults,
    )
    parser.set_defaults(run=run, after_stop=_RESUMES if resumes else _BEGINS_ANEW)
    return parser


def say(text: object) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")


# Types of arguments for argparse: what they refuse is found before any work.


def choice(choices: Callable[[], Collection[str]]) -> Callable[[str], str]:
    """Return a type of argument that takes some words.

    Parameters
    ----------
    choices : callable
        Gives them when an argument is there: some come from modules slow to import.
    """

    def parse(text: str) -> str:
        with _told_by_argparse():
            check_option("value", text, tuple(choices()))
        return text

    return parse


def number(
    kind: type, low: float, high: float = math.inf, *, open_low: bool = False
) -> Callable[[str], float]:
    """Return a type of argument that takes numbers in a range, see ``check_range``."""

    def parse(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            noun = "a whole number" if kind is int else "a number"
            msg = f"{text!r} is not {noun}"
            raise argparse.ArgumentTypeError(msg) from None
        with _told_by_argparse():
            check_range("value", value, low, high, open_low=open_low)
        return value

    return parse


def seconds(text: str) -> float:
    """Take a time, s: any finite number."""
    value = number(float, -math.inf)(text)
    if not math.isfinite(value):
        msg = f"{text!r} is no time"
        raise argparse.ArgumentTypeError(msg)
    return value


def new_file(*endings: str) -> Callable[[str], Path]:
    """Return a type of argument that takes a file to write.

    Parameters
    ----------
    *endings : str
        One of these, such as ``".npz"``, or any.
    """

    def parse(text: str) -> Path:
        path = Path(text)
        if path.is_dir():
            msg = f"{text!r} is a folder; give a file"
            raise argparse.ArgumentTypeError(msg)
        if endings and path.suffix not in endings:
            msg = f"{text!r} must end in {' or '.join(endings)}"
            raise argparse.ArgumentTypeError(msg)
        new_folder(str(path.parent))
        return path

    return parse


def new_folder(text: str) -> Path:
    """Take a folder to write to; it, or what holds it, may be there already."""
    path = Path(text)
    nearest = next(p for p in (path, *path.absolute().parents) if p.exists())
    if not nearest.is_dir():
        msg = f"{str(nearest)!r} is a file; give a folder"
        raise argparse.ArgumentTypeError(msg)
    return path


@contextmanager
def _told_by_argparse() -> Iterator[None]:
    """Let argparse name the argument in front of the error's text."""
    try:
        yield
    except OptionError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_resting(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of resting EEG in the noise."""
    parser.add_argument(
        "--resting",
        help="resting EEG: 'published', or an .npy file (clips, times, channels)",
    )
    parser.add_argument(
        "--resting-share",
        type=number(float, 0, 1),
        default=0.0,
        help="share of the noise power that is resting EEG instead of white noise",
    )


def load_resting(name: str | None, share: float) -> NDArray | None:
    """Load what ``--resting`` names.

    Raises
    ------
    OptionError
        One of the two arguments is there without the other.
    FileError
        It is no array of clips.
    """
    if (name is None) != (share == 0):
        msg = (
            f"--resting {name} and --resting-share {share:g} go together; give both, "
            "with a share above 0, or neither."
        )
        raise OptionError(msg)
    if name is None:
        return None
    if name == "published":
        from ..recordings.responses import load_resting_eeg

        return load_resting_eeg()
    import numpy as np

    try:
        return np.load(name, allow_pickle=False)
    except (ValueError, EOFError) as error:
        msg = f"--resting {name!r} is no .npy file of numbers ({error})."
        raise FileError(msg) from error
