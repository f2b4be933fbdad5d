"""Kill long runs at random moments, run them again, and compare with one never killed.

SIGKILL lets a process clean up nothing. Each run is small, and each moment is drawn
evenly over the time that the whole run takes, its start and its imports included. The
same is to come out to the bit, no process of the killed run is to live on, and nothing
half written is to stay. Takes a minute for a kill of each; Linux only.

    python benchmarks/kill_and_resume.py --save data/experiments/kill_and_resume.csv
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from deepsif_lite.paths import whole_file
from deepsif_lite.results import commit
from deepsif_lite.runs import progress_bar

ROOT = Path(__file__).resolve().parent.parent
MARK = "DEEPSIF_LITE_KILLED_RUN"  # in the environment of a run and all its processes
PATIENCE = 5.0  # s that processes of a killed run have to end
CLOCKS = ("seconds", "waited", "waiting_for_data")  # what no run has in common

SIMULATE = """
from dataclasses import replace
from deepsif_lite.profiles import get_profile
from deepsif_lite.spikes import build_spike_library
from toys import small_connectome
tiny = replace(get_profile("smoke"), name="tiny", simulation_seconds=12.0)
build_spike_library(
    tiny, folder, connectome=small_connectome(), n_jobs=2, progress=False,
    overwrite=True,
)
"""

TRAIN = """
from deepsif_lite.training import TrainingConfig, run
from toys import toy_clips, toy_head
run.CHECKPOINT_SECONDS = 0.3
config = TrainingConfig(
    n_steps=40, batch_size=8, validation_size=8, score_size=6, score_every=10,
    options={"n_shapes": 4},
)
run.train(
    toy_head(), toy_clips(), folder, config=config, device="cpu", progress=False
)
"""

# The boundary element method would take minutes; what is kept between is the same.
BUILD = """
import time
import numpy as np
from deepsif_lite.head import variants

def build_group(names, cortex):
    time.sleep(0.1)
    rng = np.random.default_rng(len(names[0]))
    parts = ("leadfield", "electrodes")
    return {f"{name}/{part}": rng.random((99, 9)) for name in names for part in parts}

variants._build_group = build_group
with only_run_in(folder):
    variants.store_variants(folder, progress=False)
"""

SMALL_CHAPTER = """
# %% tags=["parameters"]
profile = "lite"
# %%
import time
import numpy as np
import pandas as pd
from deepsif_lite.results import write_table
for part in range(5):
    time.sleep(0.2)
    values = np.random.default_rng(part).random(3)
    write_table(f"part-{part}", pd.DataFrame({"x": values}), profile)
print(values)
"""

CHAPTER = f"""
import execute
execute.ROOT, execute.SOURCES = folder, folder / "notebooks"
execute.SOURCES.mkdir(exist_ok=True)
(execute.SOURCES / "01_small.py").write_text({SMALL_CHAPTER!r})
sys.argv[1:] = ["--profile", "smoke"]
execute.main()
"""

RUNS = {"simulate": SIMULATE, "train": TRAIN, "build": BUILD, "chapter": CHAPTER}

PREAMBLE = """
import logging
import sys
from pathlib import Path
from deepsif_lite.runs import only_run_in
folder = Path(sys.argv[1])
logging.disable()
"""


def start(code: str, folder: Path, mark: str) -> subprocess.Popen:
    """Start a run that writes to a folder."""
    # As a file, because workers that are spawned import it.
    script = folder.with_suffix(".py")
    body = "".join(f"    {line}\n" if line else "\n" for line in code.splitlines())
    script.write_text(f"{PREAMBLE}if __name__ == '__main__':\n{body}")
    folder.mkdir(exist_ok=True)
    places = (ROOT, ROOT / "tests", ROOT / "book")
    env = os.environ | {
        MARK: mark,
        "PYTHONPATH": os.pathsep.join(map(str, places)),
        "DEEPSIF_LITE_RESULTS": str(folder / "results"),
        "TQDM_DISABLE": "1",
    }
    command = [sys.executable, str(script), str(folder)]
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)


def finish(code: str, folder: Path, mark: str) -> float:
    """Run to the end; return the seconds it took."""
    began = time.monotonic()
    if start(code, folder, mark).wait():
        sys.exit(f"A run in {folder} failed, see above.")
    return time.monotonic() - began


def survivors(mark: str) -> int:
    """Count the processes of a run that live on."""
    wanted, count = f"{MARK}={mark}".encode(), 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            count += wanted in (process / "environ").read_bytes().split(b"\0")
        except OSError:  # it has just ended, or is not ours
            continue
    return count


def content(folder: Path) -> dict[str, str]:
    """Return a hash of each file of a run, clocks left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != ".lock":
            name = str(path.relative_to(folder))
            found[name] = hashlib.sha256(_without_clocks(path)).hexdigest()
    return found


def _without_clocks(path: Path) -> bytes:
    if path.name == "log.csv":
        return pd.read_csv(path).drop(columns=list(CLOCKS[:2])).to_csv().encode()
    if path.suffix == ".json":
        content = json.loads(path.read_text())
        if path.name == "card.json":
            content.pop("sha256")  # of all its entries, clocks as well
        return json.dumps(_drop_clocks(content)).encode()
    if path.name == "checkpoint.pt":
        import torch

        state = torch.load(path, weights_only=True)["learner"]["network"]
        return b"".join(value.numpy().tobytes() for value in state.values())
    return path.read_bytes()


def _drop_clocks(value: object) -> object:
    if isinstance(value, dict):
        return {k: _drop_clocks(v) for k, v in value.items() if k not in CLOCKS}
    return value


def kill_and_resume(
    name: str, n_kills: int, root: Path, seed: int = 0, bar=None
) -> list[dict]:
    """Kill one kind of run at random moments; return a row for each.

    Parameters
    ----------
    name : str
        One of ``RUNS``.
    n_kills : int
    root : path
        For the folders of the runs.
    seed : int
        Of the moments.
    bar : tqdm | None
        Progress bar, updated for each kill.

    Returns
    -------
    list of dict
        ``whole`` (s, the run never killed) and ``moment`` (s), whether it came to a
        kill (``killed``), processes that lived on (``orphans``), and files that differ
        from the run never killed (``differ``).
    """
    code, rows = RUNS[name], []
    whole = root / f"{name}-whole"
    finish(code, whole, f"{whole}-warm-up")  # compiles, and fills the caches
    shutil.rmtree(whole)
    seconds = finish(code, whole, str(whole))
    expected = content(whole)
    rng = np.random.default_rng([seed, list(RUNS).index(name)])
    for number, moment in enumerate(rng.uniform(0, seconds, n_kills)):
        folder = root / f"{name}-{number}"
        process = start(code, folder, str(folder))
        time.sleep(moment)
        process.kill()
        killed = process.wait() == -signal.SIGKILL
        deadline = time.monotonic() + PATIENCE
        while (orphans := survivors(str(folder))) and time.monotonic() < deadline:
            time.sleep(0.1)
        finish(code, folder, str(folder))
        found = content(folder)
        names = expected.keys() | found.keys()
        differ = sorted(n for n in names if expected.get(n) != found.get(n))
        rows.append(
            {
                "run": name,
                "whole": seconds,
                "moment": moment,
                "killed": killed,
                "orphans": orphans,
                "differ": ", ".join(differ),
            }
        )
        if bar is not None:
            bar.update()
    return rows


def save(table: pd.DataFrame, path: Path) -> None:
    """Write a table; of runs that are not in it, the rows of a former one stay."""
    table = table.round(2).assign(commit=commit())
    if path.is_file():
        former = pd.read_csv(path, comment="#", keep_default_na=False)
        table = pd.concat([former[~former["run"].isin(table["run"])], table])
    with whole_file(path) as partial:
        partial.write_text(
            "# python benchmarks/kill_and_resume.py --save "
            f"data/experiments/{path.name}\n"
            + table.to_csv(index=False, lineterminator="\n")
        )


def main() -> None:
    """Print a table of what was killed and what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20, help="of each run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", nargs="+", default=list(RUNS), choices=RUNS)
    parser.add_argument("--save", type=Path, help="file to write, .csv")
    options = parser.parse_args()
    rows: list[dict] = []
    with (
        tempfile.TemporaryDirectory() as root,
        progress_bar(True, total=options.kills * len(options.runs), unit="kill") as bar,
    ):
        for name in options.runs:
            rows += kill_and_resume(name, options.kills, Path(root), options.seed, bar)
            table = pd.DataFrame(rows)
            if options.save:  # after each kind: this takes long
                save(table, options.save)
    print(table.round(1).to_string(index=False))
    sums = table.assign(same=table["differ"] == "").groupby("run", sort=False)
    print(sums[["killed", "same", "orphans"]].sum().to_string())


if __name__ == "__main__":
    main()
