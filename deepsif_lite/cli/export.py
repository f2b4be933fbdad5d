"""``deepsif-lite export``: a network for runtimes without torch."""

from __future__ import annotations

import argparse

from .shared import add_command, new_file, say


def add(commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "export",
        _run,
        "Write a lite network as one ONNX file, EEG in and activity out.",
        "Writing needs pip install 'deepsif-lite[onnx]'; ONNX Runtime runs the file from "
        "its version 1.29 on.",
    )
    parser.add_argument("--model", default="lite-75", help="shipped name or folder")
    parser.add_argument(
        "--out", required=True, type=new_file(".onnx"), help="file to write, .onnx"
    )


def _run(arguments: argparse.Namespace) -> None:
    from ..imaging.loading import load_model
    from ..imaging.onnx_export import export_onnx

    model = load_model(arguments.model)
    say(export_onnx(model.network, model.card, arguments.out))
