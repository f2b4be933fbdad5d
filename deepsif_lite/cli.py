"""The command ``deepsif-lite``: parse, call one public function, print the path."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .head.model import HeadModel
    from .head.training_head import TrainingHead
    from .spikes.library import SpikeLibrary

_EXPECTED = (ValueError, OSError, KeyError, ImportError)
"""Errors that name their cure; anything else is a bug and shows its traceback."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; by default those of the process.

    Returns
    -------
    int
        0, or 2 after an error, which is printed as one line.
    """
    arguments = _parser().parse_args(argv)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            arguments.run(arguments)
        except BrokenPipeError:  # the reader of a pipe, such as head, has left
            sys.stderr.close()
            return 141
        except _EXPECTED as error:
            text = error.args[0] if isinstance(error, KeyError) else error
            sys.stderr.write(f"deepsif-lite: error: {' '.join(str(text).split())}\n")
            return 2
    return 0


def _show_warning(message, category, *_, **__) -> None:
    if issubclass(category, UserWarning):
        sys.stderr.write(f"deepsif-lite: warning: {message}\n")


def _say(text: object) -> None:
    sys.stdout.write(f"{text}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deepsif-lite",
        description="EEG source imaging by networks trained on simulated brains. "
        "Research software, not a medical device.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for add in (
        _add_image,
        _add_simulate,
        _add_pack,
        _add_train,
        _add_evaluate,
        _add_export,
        _add_data,
    ):
        add(commands)
    return parser


def _command(commands, name: str, run, text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=text,
        description=text,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def _add_image(commands) -> None:
    parser = _command(
        commands,
        "image",
        _image,
        "Image a recording: writes a source estimate (.stc), a table of regions, a "
        "figure and an HTML report.",
    )
    parser.add_argument("file", help="evoked, epochs or raw, any format MNE reads")
    parser.add_argument("--method", default="deepsif", help="deepsif, sloreta or lcmv")
    parser.add_argument("--head", default="template-75", help="head model")
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


def _image(arguments: argparse.Namespace) -> None:
    from .imaging.imager import image, load_model
    from .imaging.report import write_image
    from .recordings.files import read_evoked

    path = Path(arguments.file)
    evoked = read_evoked(path, arguments.condition, arguments.tmin, arguments.tmax)
    if arguments.method == "deepsif" and arguments.model:
        result = load_model(arguments.model).apply(evoked, match=arguments.match)
    else:
        result = image(
            evoked,
            arguments.method,
            arguments.head,
            baseline=arguments.baseline,
            match=arguments.match,
        )
    stem = f"{path.name.split('.')[0]}-{arguments.method}"
    for written in write_image(result, evoked, arguments.out, stem):
        _say(written)


def _add_simulate(commands) -> None:
    parser = _command(
        commands,
        "simulate",
        _simulate,
        "Build a library of simulated spikes, training and test split; call again to "
        "finish a build that was stopped.",
    )
    parser.add_argument("--profile", default="lite", help="smoke, lite or paper")
    parser.add_argument("--connectome", default="template", help="or published")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=-1, help="worker processes")
    parser.add_argument("--out", default="spikes", help="folder of the library")


def _simulate(arguments: argparse.Namespace) -> None:
    from .neural_mass.connectome import load_connectome
    from .profiles import get_profile
    from .spikes.build import build_spike_library
    from .spikes.library import library_path
    from .spikes.report import read_report, report_lines

    profile = get_profile(arguments.profile)
    build_spike_library(
        profile,
        Path(arguments.out),
        connectome=load_connectome(arguments.connectome),
        seed=arguments.seed,
        n_jobs=arguments.jobs,
    )
    for line in report_lines(read_report(Path(arguments.out) / profile.name)):
        _say(line)
    for split in ("train", "test"):
        _say(library_path(Path(arguments.out) / profile.name, split))


def _add_pack(commands) -> None:
    parser = _command(
        commands,
        "pack",
        _pack,
        "Write what training needs of a head model, for a machine without MNE and "
        "nilearn. There, give the file to train as --head.",
    )
    parser.add_argument("--head", default="template-75", help="head model")
    parser.add_argument("--out", required=True, help="file to write, .npz")


def _pack(arguments: argparse.Namespace) -> None:
    from .head.model import load_head_model
    from .head.training_head import pack_head

    _say(pack_head(load_head_model(arguments.head), arguments.out))


def _add_train(commands) -> None:
    parser = _command(
        commands,
        "train",
        _train,
        "Train a network; call again to go on training. Under torchrun, processes "
        "share the work.",
    )
    parser.add_argument(
        "--head", default="template-75", help="head model, or a file of pack"
    )
    parser.add_argument("--network", default="lite", help="lite or paper")
    parser.add_argument(
        "--profile", default="lite", help="size of the run: smoke, lite or paper"
    )
    parser.add_argument(
        "--spikes", default="lite", help="spike library: lite, or its folder and stem"
    )
    chosen = "; by default the profile's"
    parser.add_argument("--steps", type=int, help="optimizer steps" + chosen)
    parser.add_argument("--batch-size", type=int, help="samples a step" + chosen)
    parser.add_argument("--learning-rate", type=float, help="at its peak" + chosen)
    parser.add_argument(
        "--n-sources", type=int, nargs="+", help="one is drawn a sample" + chosen
    )
    parser.add_argument(
        "--electrode-jitter",
        type=float,
        nargs=2,
        metavar=("LEAST", "MOST"),
        help="electrodes of a sample are this far beside the head's, m" + chosen,
    )
    parser.add_argument(
        "--n-times", type=int, help="window, samples; by default that of the clips"
    )
    parser.add_argument(
        "--ema-decay", type=float, help="average weights over steps" + chosen
    )
    parser.add_argument(
        "--precision", default="auto", help="float32, bfloat16, float16 or auto"
    )
    _add_resting(parser)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--initial", help="network to start from")
    parser.add_argument("--device", help="cpu or cuda; by default what there is")
    parser.add_argument("--max-minutes", type=float, help="stop after this long")
    parser.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="go on from the checkpoint in --out",
    )
    parser.add_argument("--out", required=True, help="folder of the run")


def _train(arguments: argparse.Namespace) -> None:
    import logging
    from dataclasses import replace

    from .head.training_head import load_training_head
    from .training.config import plan
    from .training.run import train

    # Without tqdm, progress comes as lines of the log.
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    given = {
        "n_steps": arguments.steps,
        "batch_size": arguments.batch_size,
        "learning_rate": arguments.learning_rate,
        "n_sources": arguments.n_sources,
        "electrode_jitter": arguments.electrode_jitter,
        "n_times": arguments.n_times,
        "ema_decay": arguments.ema_decay,
    }
    config = replace(
        plan(arguments.profile, arguments.network),
        seed=arguments.seed,
        resting_share=arguments.resting_share,
        precision=arguments.precision,
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in given.items()
            if value is not None
        },
    )
    head = load_training_head(arguments.head)
    written = train(
        head,
        _load_clips(arguments.spikes, "train", head),
        arguments.out,
        config=config,
        resting=_load_resting(arguments.resting),
        initial=arguments.initial,
        device=arguments.device,
        max_minutes=arguments.max_minutes,
        resume=arguments.resume,
    )
    _say(written)


def _add_evaluate(commands) -> None:
    parser = _command(
        commands,
        "evaluate",
        _evaluate,
        "Score a network, sLORETA and LCMV on fresh synthetic recordings; writes one "
        "row a source as CSV and prints the means over recordings.",
    )
    parser.add_argument("--model", default="lite-75", help="shipped name or folder")
    parser.add_argument(
        "--spikes", default="lite", help="spike library: lite, or its folder and stem"
    )
    parser.add_argument("--samples", type=int, default=300, help="recordings in a set")
    parser.add_argument("--sources", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument(
        "--methods", nargs="+", default=["deepsif"], help="deepsif, sloreta, lcmv"
    )
    parser.add_argument(
        "--variants",
        nargs="+",
        type=_number_or_name,
        default=["corrected", "probability"],
        help="how regions are selected: corrected, published, map, probability, or the "
        "probability from which on a region counts",
    )
    parser.add_argument(
        "--synthesis",
        default="corrected",
        choices=["corrected", "published"],
        help="rule by which the recordings are made",
    )
    _add_resting(parser)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default="evaluation.csv", help="file to write")
    parser.add_argument(
        "--card",
        action="store_true",
        help="write the means on the network's card as well",
    )


def _load_clips(name: str, split: str, head: HeadModel | TrainingHead) -> SpikeLibrary:
    """Load a spike library, and carry it over to the cortex of a head model."""
    from .spikes.library import load_spike_library

    clips = load_spike_library(name, split=split)
    if clips.connectome == head.cortex.name:
        return clips
    from .cortex.surface import load_cortex

    source = "published" if clips.connectome == "published" else clips.n_regions
    return clips.carried_over(load_cortex(source), head.cortex)


def _add_resting(parser: argparse.ArgumentParser) -> None:
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


def _load_resting(name: str | None) -> NDArray | None:
    if name is None:
        return None
    if name == "published":
        from .recordings.published import load_resting_eeg

        return load_resting_eeg()
    import numpy as np

    return np.load(name)


def _number_or_name(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _evaluate(arguments: argparse.Namespace) -> None:
    from .evaluation.synthetic import card_scores, evaluate, per_sample, summary
    from .imaging.imager import load_model
    from .network.weights import write_card_scores

    model = load_model(arguments.model)
    table = evaluate(
        model,
        _load_clips(arguments.spikes, "test", model.head),
        methods=arguments.methods,
        variants=arguments.variants,
        n_sources=arguments.sources,
        n_samples=arguments.samples,
        seed=arguments.seed,
        variant=arguments.synthesis,
        resting=_load_resting(arguments.resting),
        resting_share=arguments.resting_share,
    )
    out = Path(arguments.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(out, index=False)
    means = summary(per_sample(table), by=["method", "variant", "n_sources"])
    _say(means.xs("mean", axis=1, level=1).round(3).to_string())
    _say(out)
    if arguments.card:
        _say(write_card_scores(arguments.model, card_scores(table, arguments.seed)))


def _add_export(commands) -> None:
    parser = _command(
        commands,
        "export",
        _export,
        "Write a lite network as one ONNX file, EEG in and activity out.",
    )
    parser.add_argument("--model", default="lite-75", help="shipped name or folder")
    parser.add_argument("--out", required=True, help="file to write, .onnx")


def _export(arguments: argparse.Namespace) -> None:
    from .imaging.imager import load_model
    from .imaging.onnx_export import export_onnx

    _say(export_onnx(load_model(arguments.model), arguments.out))


def _add_data(commands) -> None:
    parser = _command(
        commands,
        "data",
        _data,
        "List the published files, where each is found, and fetch them.",
    )
    parser.add_argument(
        "--fetch",
        nargs="*",
        metavar="NAME",
        help="download these files, or all that are missing",
    )


def _data(arguments: argparse.Namespace) -> None:
    from .recordings.published import fetch, find, registry

    if arguments.fetch is None:
        for name, record in registry().items():
            _say(f"{name}: {record['description']} [{record['license']}]")
            _say(f"    {find(name) or 'not on this machine; ' + record['url']}")
        return
    for name in arguments.fetch or registry():
        _say(fetch(name))


if __name__ == "__main__":
    sys.exit(main())
