"""``deepsif-lite data``: the published files."""

from __future__ import annotations

import argparse
from collections.abc import Collection

from .shared import add_command, choice, say


def _names() -> Collection[str]:
    from ..recordings.published import registry

    return registry()


def add(commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "data",
        _run,
        "List the published files, where each is found, and fetch them.",
    )
    parser.add_argument(
        "--fetch",
        nargs="*",
        metavar="NAME",
        type=choice(_names),
        help="download these files, or all that are missing",
    )


def _run(arguments: argparse.Namespace) -> None:
    from ..recordings.published import fetch, find, registry

    if arguments.fetch is None:
        for name, record in registry().items():
            say(f"{name}: {record['description']} [{record['license']}]")
            say(f"    {find(name) or 'not on this machine; ' + record['url']}")
        return
    for name in arguments.fetch or registry():
        say(fetch(name))
