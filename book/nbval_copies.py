"""Prepare the stored chapters for nbval in ``_build/nbval``.

nbval executes each stored notebook again and compares the outputs. Where the
published recordings cannot be reached, cells tagged ``published-data`` show the
labeled virtual subject instead, so their outputs cannot equal the stored ones: they
still run, but are not compared. All other cells are compared.

The longest cells are tagged ``small-in-tests``. They run with the ``settings`` of
profile ``smoke``: neither their own outputs nor those of compared cells depend on
them, or the comparison would fail.

The code of the solutions of exercises runs too, in cells behind the chapter, as a
reader would run it there.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell

ROOT = Path(__file__).resolve().parent.parent
SMALL = """\
settings = dl.get_profile("smoke")
{source}
settings = dl.get_profile(profile)"""
_SOLUTION = re.compile(r"^:::\{solution\}.*?^:::$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def solutions(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the blocks of code in the solutions of a chapter's exercises."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    solved = _SOLUTION.findall("\n".join(texts))
    return [code.rstrip() for text in solved for code in _CODE.findall(text)]


def prepare(source: Path, target: Path, *, published: bool) -> int:
    """Copy one notebook; return how many cells are not compared for lack of data."""
    notebook = nbformat.read(source, as_version=4)
    left_out = 0
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "small-in-tests" in tags:
            cell.source = SMALL.format(source=cell.source)
        if not published and "published-data" in tags:
            cell.metadata["tags"] = [*tags, "nbval-ignore-output"]
            left_out += 1
    for code in solutions(notebook):
        cell = new_code_cell(SMALL.format(source=code))
        cell.metadata["tags"] = ["nbval-ignore-output"]
        notebook.cells.append(cell)
    nbformat.write(notebook, target)
    return left_out


def main() -> None:
    """Prepare all stored chapters and say what will not be compared."""
    from deepsif_lite.recordings import find, registry

    folder = ROOT / "_build" / "nbval"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    published = all(find(name) is not None for name in registry())
    left_out = sum(
        prepare(path, folder / path.name, published=published)
        for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]*_*.ipynb"))
    )
    if published:
        print("Published recordings found: every chapter cell is compared.")
    else:
        print(f"No published recordings: {left_out} cells run but are not compared.")


if __name__ == "__main__":
    main()
