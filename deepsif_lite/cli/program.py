"""The program: its commands, and errors as one line."""

from __future__ import annotations

import argparse
import atexit
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from .. import __version__
from ..errors import OptionError
from ..runs import terminate_like_interrupt
from . import build, data, evaluate, export, image, pack, simulate, train

_COMMANDS = (image, simulate, pack, train, evaluate, export, data, build)
"""A module each, in the order of the help; its ``add`` describes the command."""

_EXPECTED = (ValueError, OSError, ImportError)
"""Errors that name their cure; anything else is a bug and shows its traceback."""

_FAILED = 2
_STOPPED = 130  # what a shell reports of a program that Ctrl-C has ended
_PIPE_CLOSED = 141  # what a shell reports of a program that SIGPIPE has ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str | None
        Arguments; by default those of the process.

    Returns
    -------
    int
        0, 2 after an error, which is printed as one line, or 130 after Ctrl-C or
        SIGTERM.
    """
    after_stop = "nothing was begun"
    _settle_matplotlib()
    with warnings.catch_warnings(), terminate_like_interrupt():
        warnings.showwarning = _show_warning
        try:
            arguments = _parser().parse_args(argv)
            after_stop = arguments.after_stop
            arguments.run(arguments)
        except BrokenPipeError:  # the reader of a pipe, such as head, has left
            sys.stderr.close()
            return _PIPE_CLOSED
        except KeyboardInterrupt:
            sys.stderr.write(f"deepsif-lite: stopped; {after_stop}\n")
            return _STOPPED
        except _EXPECTED as error:
            sys.stderr.write(f"deepsif-lite: error: {' '.join(str(error).split())}\n")
            return _FAILED
    return 0


def _settle_matplotlib() -> None:
    """Give matplotlib a folder where the user has no home.

    Before version 3.11 neither it nor MNE, which imports it, start without one.
    """
    try:
        Path.home()
    except RuntimeError:
        if "MPLCONFIGDIR" not in os.environ:
            folder = tempfile.mkdtemp(prefix="matplotlib-")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            os.environ["MPLCONFIGDIR"] = folder


def _show_warning(message, category, *_, **__) -> None:
    if issubclass(category, UserWarning):
        sys.stderr.write(f"deepsif-lite: warning: {message}\n")


class _Parser(argparse.ArgumentParser):
    """Raises what is wrong with the arguments: one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        text = f"{message.rstrip('.')} (see {self.prog} --help)"
        raise OptionError(text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="deepsif-lite",
        description="EEG source imaging by networks trained on simulated brains. "
        "Research software, not a medical device.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in _COMMANDS:
        command.add(commands)
    return parser
