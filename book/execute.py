"""Execute the chapters with papermill, one after the other.

The sources are ``notebooks/NN_name.py`` (py:percent). Each becomes an executed
``.ipynb``, cleaned of everything that changes from run to run (times, random cell
ids), checked for errors, size and local paths. Beside the executed notebooks lies the
folder ``results``: the scores that each wrote, and ``chapters.json``, which says how
long each took and where its numbers come from. So notebooks and scores that are shown
together belong together.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

import images
import jupytext
import nbformat
import papermill
from address import absolute_links, repository_url, site_url
from memory import PeakMemory
from records import short_hash
from setup_cell import add_setup
from traitlets.config import Config

from deepsif_lite.errors import DiskFull, FolderInUse
from deepsif_lite.paths import results_dir, whole_file
from deepsif_lite.results import environment
from deepsif_lite.runs import only_run_in, terminate_like_interrupt

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "notebooks"
MAX_BYTES = 3_500_000
KEPT = ("tags", "mystnb", "table")  # metadata of cells that chapters set
STOPPED = 130  # what a shell reports of a program that Ctrl-C has ended
DRAFT = ".running-"  # start of a notebook's name while it is executed


def chapter_sources(names: list[str] | None = None) -> list[Path]:
    """Return the chapter sources in reading order, all or the named ones."""
    found = sorted(SOURCES.glob("[0-9][0-9]*_*.py"))
    if not names:
        return found
    by_name = {path.stem: path for path in found}
    unknown = sorted({Path(name).stem for name in names} - set(by_name))
    if unknown:
        sys.exit(f"No chapter {unknown}; there are {sorted(by_name)}.")
    return [by_name[Path(name).stem] for name in names]


def read_source(path: Path):
    """Read a py:percent chapter as a notebook with the same cell ids every time."""
    notebook = jupytext.read(path)
    site = site_url(repository_url())
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = absolute_links(cell.source, site)
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {
                "display_name": "Python 3",
                "language": "python",
                "name": "python3",
            },
            "jupytext": {"formats": "ipynb,py:percent"},
        }
    )
    add_setup(notebook, path.stem)
    number_cells(notebook)
    return notebook


def number_cells(notebook) -> None:
    """Give the cells ids that are the same every time."""
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"


def clean(notebook) -> None:
    """Remove what papermill and the kernel add that differs between two runs."""
    number_cells(notebook)  # papermill's cell of parameters has a random id
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        kept = {k: v for k, v in cell.metadata.items() if k in KEPT}
        if not kept.get("tags"):
            kept.pop("tags", None)
        cell.metadata = type(cell.metadata)(kept)
        images.shrink(cell.get("outputs", []))


def figure_seconds(notebook) -> dict[str, float]:
    """Return how long papermill took for the cell of each named figure."""
    seconds = {}
    for cell in notebook.cells:
        name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        took = cell.metadata.get("papermill", {}).get("duration")
        if name and took is not None:
            seconds[name] = round(took, 1)
    return seconds


def problems(notebook, size: int) -> list[str]:
    """Return what must not be published: errors, local paths, too many bytes."""
    found = []
    if size > MAX_BYTES:
        found.append(f"{size / 1e6:.1f} MB is more than {MAX_BYTES / 1e6:.0f} MB")
    local = {str(ROOT), sys.prefix, str(Path.home() / "")}
    local |= {os.environ.get("DEEPSIF_LITE_DATA") or str(ROOT)}
    # Where the kernel says that its cells lie, in warnings for example.
    local |= {str(Path(tempfile.gettempdir()) / "ipykernel_")}
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                found.append(f"cell {number}: {output.ename}: {output.evalue}")
            text = json.dumps(
                {k: v for k, v in output.items() if k != "data"}
                | {m: v for m, v in output.get("data", {}).items() if "image" not in m}
            )
            found += [f"cell {number}: shows {path}" for path in local if path in text]
    return found


class Progress:
    """One line that says which chapter runs and for how long.

    Not a bar: nothing counts up while a cell runs, only time goes by.
    """

    def __init__(self, label: str, every: float) -> None:
        self.label, self.every = label, every
        self.start, self.done = time.monotonic(), threading.Event()
        self.live = sys.stdout.isatty()

    @property
    def seconds(self) -> float:
        """Wall time since the start."""
        return time.monotonic() - self.start

    def _beat(self) -> None:
        while not self.done.wait(1 if self.live else self.every):
            self._say(f"{self.label} ... {self.seconds:.0f} s")

    def _say(self, text: str, last: bool = False) -> None:
        if self.live:
            print(f"\r{text:<70}", end="\n" if last else "", flush=True)
        else:
            print(text, flush=True)

    def __enter__(self) -> Progress:
        self._say(f"{self.label} ...")
        self.thread = threading.Thread(target=self._beat, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, kind, *_: object) -> None:
        self.done.set()
        self.thread.join()
        state = "done" if kind is None else "FAILED"
        self._say(f"{self.label} {state} after {self.seconds:.0f} s", last=True)


def execute(source: Path, target: Path, profile: str, label: str) -> dict:
    """Execute one chapter into ``target``; return its entry for the manifest."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{DRAFT}{target.name}")
    jupytext.write(read_source(source), draft, fmt="ipynb")
    try:
        same = default_profile(draft) == profile
        with Progress(label, every=30) as progress, PeakMemory() as memory:
            papermill.execute_notebook(
                draft,
                draft,
                parameters={} if same else {"profile": profile},
                cwd=SOURCES,
                kernel_name="python3",
                progress_bar=False,
                # A socket file instead of a network port (which the kernel warns of).
                config=Config(KernelManager={"transport": "ipc"}),
            )
        executed = jupytext.read(draft)
        figures = figure_seconds(executed)
        clean(executed)
        jupytext.write(executed, draft, fmt="ipynb")
        wrong = problems(executed, draft.stat().st_size)
        if wrong:
            sys.exit(f"{source.name} must not be published:\n  " + "\n  ".join(wrong))
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return {
        "seconds": round(progress.seconds, 1),
        "profile": profile,
        "memory_gb": round(memory.gb, 2),
        "data": short_hash((ROOT / "data" / "sha256sums.txt").read_bytes()),
        "figures": figures,
    }


def default_profile(notebook: Path) -> str:
    """Return the profile in a notebook's cell tagged ``parameters``."""
    parameters = papermill.inspect_notebook(str(notebook))
    if "profile" not in parameters:
        sys.exit(f"{notebook.name} has no cell tagged 'parameters' with a profile.")
    return ast.literal_eval(parameters["profile"]["default"])


def store_results(chapter: str, entry: dict, written: Path, folder: Path) -> None:
    """Keep a chapter's scores and its entry in the record beside the notebooks.

    Parameters
    ----------
    chapter : str
        Its name, ``"04_evaluation"``.
    entry : dict
        What the record is to say of it.
    written : path
        Where the chapter wrote its scores; some write none.
    folder : path
        Of the notebooks.
    """
    folder = folder / "results"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"scores-{chapter}.json"
    (folder / name).unlink(missing_ok=True)
    if (written / name).is_file():
        shutil.copy(written / name, folder)
    record = folder / "chapters.json"
    entries = json.loads(record.read_text()) if record.is_file() else {}
    entries[chapter] = entry
    with whole_file(record) as partial:
        partial.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n")


def main() -> None:
    """Execute the chapters named on the command line, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", help="for example 01_simulation")
    parser.add_argument("--profile", default="lite")
    parser.add_argument("--in-place", action="store_true", help="store beside the .py")
    options = parser.parse_args()

    folder = SOURCES if options.in_place else ROOT / "_build" / "notebooks"
    written = results_dir(options.profile)
    sources = chapter_sources(options.chapters)
    try:
        with (
            terminate_like_interrupt(),
            only_run_in(written),
            only_run_in(folder),
        ):
            execute_all(sources, folder, written, options.profile)
    except (FolderInUse, DiskFull) as error:
        sys.exit(f"book/execute.py: error: {error}")
    except KeyboardInterrupt:
        print("book/execute.py: stopped; executed chapters are kept.", file=sys.stderr)
        sys.exit(STOPPED)


def execute_all(sources: list[Path], folder: Path, written: Path, profile: str) -> None:
    """Execute chapters one after the other.

    Parameters
    ----------
    sources : list of path
    folder : path
        Of the executed notebooks.
    written : path
        Where the chapters write their scores.
    profile : str
    """
    for draft in folder.glob(f"{DRAFT}*"):  # of a run that was killed
        draft.unlink()
    begin = time.monotonic()
    for number, source in enumerate(sources, 1):
        label = f"[{number}/{len(sources)}] {source.stem}"
        target = folder / f"{source.stem}.ipynb"
        (written / f"scores-{source.stem}.json").unlink(missing_ok=True)
        entry = execute(source, target, profile, label) | environment()
        store_results(source.stem, entry, written, folder)
    print(f"{len(sources)} chapters in {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
