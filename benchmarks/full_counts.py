"""Score the methods on test sets of the full size, and write two tables.

Run ``python benchmarks/full_counts.py --save data/experiments`` (some hours on two
cores). The networks, sLORETA and LCMV see all recordings, the other methods the first
few of the same. It goes on where it was stopped, and scores anew the methods whose
weights changed; scores of solvers are kept whatever becomes of their code.

``full_counts.csv`` holds means with their standard errors by the ids of the paper's
numbers; ``method_samples.csv`` the recordings that all methods saw, one row each.
"""

from __future__ import annotations

import argparse
import time
from functools import cache, partial
from pathlib import Path

import pandas as pd
from short_runs import kept_rows
from tqdm.auto import tqdm

import deepsif_lite as dl
from deepsif_lite.artifacts import content_hash
from deepsif_lite.evaluation import (
    MAP_METRICS,
    METRICS,
    evaluate,
    paper_scores,
    per_sample,
)
from deepsif_lite.network import load_weights
from deepsif_lite.results import commit
from deepsif_lite.solvers import SOLVERS, get_solver

NETWORKS = {"deepsif": "lite-75", "known head": "lite-75-known-head"}
FULL = (*NETWORKS, "sloreta", "lcmv")  # methods that see all recordings
COUNTS = (1, 2, 3)
SEED = 2022
CHUNK = 64  # recordings between two files
FEW_CHUNK = 12  # the same, of methods that take seconds an image
SECONDS = "speed/seconds"
TIMED = 5  # recordings of which the time of an image is taken


def read_arguments() -> argparse.Namespace:
    """Read sizes and folders."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=int, default=3976, help="in each set")
    parser.add_argument("--few", type=int, default=40, help="of them, for the others")
    parser.add_argument("--runs", type=Path, default=Path("_build/full_counts"))
    parser.add_argument("--save", type=Path, help="folder of the two tables")
    parser.add_argument(
        "--keep-seconds",
        action="store_true",
        help="of the saved table, where the machine does other work",
    )
    return parser.parse_args()


@cache
def weights_of(method: str) -> str:
    """Return what tells a network's weights from others; solvers have none."""
    if method not in NETWORKS:
        return "solver"
    return content_hash(load_weights(NETWORKS[method])[0].state_dict())[:12]


def folder_of(method: str, runs: Path) -> Path:
    """Return where the scores of a method with these weights are kept."""
    return runs / f"{method}-{weights_of(method)}"


def all_weights() -> str:
    """Return the same of both networks, for the heads of tables."""
    return " and ".join(weights_of(method) for method in NETWORKS)


def score(
    method: str,
    n: int,
    runs: Path,
    chunk: int = CHUNK,
    *,
    transport: bool = False,
) -> pd.DataFrame:
    """Score a method on all test sets, a file a chunk; return all rows."""
    clips = dl.load_spike_library("lite", split="test")
    chunks = [(c, k) for c in COUNTS for k in range(0, n, chunk)]
    parts = []
    for count, first in tqdm(chunks, desc=method, unit="chunk"):
        size = min(chunk, n - first)
        name = f"{count}-{first}-{size}{'-emd' * transport}.csv"
        asked = clips, method, count, first, size
        make = partial(score_chunk, *asked, transport=transport)
        parts.append(kept_rows(folder_of(method, runs) / name, make))
    return pd.concat(parts, ignore_index=True)


def score_chunk(
    clips: dl.SpikeLibrary,
    method: str,
    count: int,
    first: int,
    size: int,
    *,
    transport: bool,
) -> pd.DataFrame:
    """Score a method on some recordings of a test set."""
    return evaluate(
        {k: dl.load_model(v) for k, v in NETWORKS.items()},
        clips,
        methods=(method,),
        n_sources=(count,),
        first=first,
        n_samples=size,
        seed=SEED,
        transport=transport,
        progress=False,
    )


def seconds_an_image() -> dict[str, float]:
    """Time one image of each method: the median over a few recordings."""
    networks = {k: dl.load_model(v) for k, v in NETWORKS.items()}
    head = networks["deepsif"].head
    clips = dl.load_spike_library("lite", split="test")
    stream = dl.SyntheticEEG(head, clips, n_sources=2, seed=SEED)
    recordings = [stream[i].eeg for i in range(TIMED + 1)]
    seconds = {}
    for method in (*NETWORKS, *SOLVERS):
        taken = []
        for eeg in recordings:
            start = time.perf_counter()
            if method in networks:
                networks[method].predict(eeg)
            else:
                get_solver(method)(eeg, head)
            taken.append(time.perf_counter() - start)
        seconds[method] = pd.Series(taken[1:]).median()  # the first one prepares
    return seconds


def saved_seconds(folder: Path) -> dict[str, float]:
    """Return the time of an image of each method as it was saved."""
    table = pd.read_csv(folder / "full_counts.csv", comment="#")
    return table[table["id"] == SECONDS].set_index("method")["value"].to_dict()


def by_paper_id(rows: pd.DataFrame, seconds: dict[str, float]) -> pd.DataFrame:
    """Return means and standard errors, one row a method and number."""
    table = [
        {"method": method, "id": name, **number._asdict()}
        for method, part in rows.groupby("method", sort=False)
        for name, number in paper_scores(part).items()
    ]
    table += [
        {"method": method, "id": SECONDS, "value": value, "n": TIMED}
        for method, value in seconds.items()
    ]
    return pd.DataFrame(table).round(5)


def main() -> None:
    """Score, and print or save the tables."""
    arguments = read_arguments()
    runs, n = arguments.runs, arguments.recordings
    full = pd.concat([score(method, n, runs) for method in FULL], ignore_index=True)
    n_few = min(arguments.few, n)
    few = [
        score(method, n_few, runs, FEW_CHUNK, transport=True)
        for method in (*NETWORKS, *SOLVERS)
    ]
    few = pd.concat(few, ignore_index=True)
    others = few[~few["method"].isin(FULL)]
    keep = arguments.save and arguments.keep_seconds
    seconds = saved_seconds(arguments.save) if keep else seconds_an_image()
    means = by_paper_id(pd.concat([full, others]), seconds)
    facts = ["method", "n_sources", "sample", "snr_db"]
    samples = per_sample(few)[[*facts, *METRICS, *MAP_METRICS]]
    print(means.pivot_table("value", "id", "method", sort=False).round(2).to_string())
    if arguments.save:
        head = f"# commit {commit()}, weights {all_weights()}, seed {SEED}\n"
        for name, each in (
            ("full_counts", means),
            ("method_samples", samples.round(4)),
        ):
            path = arguments.save / f"{name}.csv"
            path.write_text(head + each.to_csv(index=False))


if __name__ == "__main__":
    main()
