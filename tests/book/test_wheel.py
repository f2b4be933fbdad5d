"""The wheel alone is enough: chapters run from an empty folder, without a checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import execute
import jupytext
import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_BYTES = 60e6
LEFT_OUT = ("data/weights/paper-75/weights-", "data/training/template-")
CHAPTERS = ("06_evoked", "07_your_eeg")


def _pip(*arguments: str | Path) -> None:
    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps")
    subprocess.run([sys.executable, "-m", "pip", *arguments, *quiet], check=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel as it is published."""
    pytest.importorskip("hatchling", reason="building the wheel needs hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    _pip("wheel", ROOT, "--no-build-isolation", "--wheel-dir", folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Install it in a folder of its own, beside the packages that it needs."""
    folder = tmp_path_factory.mktemp("installed")
    _pip("install", "--no-compile", "--target", folder, wheel)
    return folder


def test_the_wheel_is_not_too_large(wheel):
    assert wheel.stat().st_size < MOST_BYTES


def test_the_wheel_holds_the_data(wheel):
    """All but what pyproject.toml leaves out by name."""
    listed = ["git", "ls-files", "data"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    held = set(zipfile.ZipFile(wheel).namelist())
    absent = [n for n in done.stdout.split() if f"deepsif_lite/{n}" not in held]
    assert absent
    assert [n for n in absent if not n.startswith(LEFT_OUT)] == []


def _one_notebook(chapters):
    """Put chapters one after the other, so that one kernel imports what all need."""
    whole, *others = (
        execute.read_source(ROOT / "notebooks" / f"{chapter}.py")
        for chapter in chapters
    )
    for notebook in others:
        whole.cells += [
            cell
            for cell in notebook.cells
            if "parameters" not in cell.metadata.get("tags", [])
        ]
    execute.number_cells(whole)
    return whole


def test_chapters_run_from_an_empty_folder(installed, tmp_path):
    notebook = tmp_path / "chapters.ipynb"
    source = _one_notebook(CHAPTERS)
    where = "import deepsif_lite\nprint(deepsif_lite.__file__)"
    source.cells.append(nbformat.v4.new_code_cell(where))
    jupytext.write(source, notebook)
    unwanted = ("DEEPSIF_LITE_RESULTS", "DEEPSIF_LITE_DATA")
    environment = {k: v for k, v in os.environ.items() if k not in unwanted}
    environment |= {"PYTHONPATH": str(installed), "TQDM_DISABLE": "1"}
    run = ("papermill", notebook, notebook, "-p", "profile", "smoke", "-k", "python3")
    done = subprocess.run(
        [sys.executable, "-m", *run],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (last,) = nbformat.read(notebook, as_version=4).cells[-1].outputs
    assert last.text.startswith(str(installed))
