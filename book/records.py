"""What the record of runs says: of chapters and of their figures."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import nbformat
import pandas as pd

_OF_A_CHAPTER = ["seconds", "commit", "device", "memory_gb", "data", "figures"]
"""What differs between chapters that one machine has run."""
_DIGITS = 12  # of a SHA-256, enough to tell files apart


def read(folder: Path, name: str = "chapters.json") -> pd.DataFrame:
    """Read a record of a folder of results; empty where there is none."""
    path = folder / name
    entries = json.loads(path.read_text()) if path.is_file() else {}
    table = pd.DataFrame.from_dict(entries, orient="index").sort_index()
    missing = [name for name in _OF_A_CHAPTER if name not in table]
    return table.assign(**dict.fromkeys(missing)).rename_axis("chapter")


def runs_table(record: pd.DataFrame) -> str:
    """Return the record of runs as Markdown: chapter, seconds, machine, versions."""
    if record.empty:
        return "Nothing is recorded of the runs behind these notebooks.\n"
    shown = record[["seconds", "commit", "device"]].reset_index()
    shown["seconds"] = shown["seconds"].round().astype(int)
    shown["commit"] = "`" + shown["commit"] + "`"
    lines = [shown.to_markdown(index=False, disable_numparse=True), ""]
    versions = record.drop(columns=_OF_A_CHAPTER)
    for facts, rows in versions.groupby(list(versions), sort=False, dropna=False):
        named = [f"{k} {v}" for k, v in zip(versions, facts, strict=True) if v == v]
        chapters = ", ".join(name.split("_")[0] for name in rows.index)
        lines += [f"Chapters {chapters} ran with: {', '.join(named)}.", ""]
    return "\n".join(lines)


def figures_table(notebooks: list[Path], record: pd.DataFrame) -> str:
    """Return a table of all figures: what makes each, how long, and its hash.

    Parameters
    ----------
    notebooks : list of path
        Executed chapters.
    record : DataFrame
        From :func:`read`.
    """
    rows = []
    for path in notebooks:
        if path.stem not in record.index:
            continue
        entry = record.loc[path.stem]
        seconds = entry["figures"] if isinstance(entry["figures"], dict) else {}
        for name, digest in _figures(path):
            rows.append(
                {
                    "figure": f"{{numref}}`{name}`",
                    "made by": f"`make run NB={path.stem}`",
                    "its cell": f"{seconds[name]:.1f}\u00a0s" if name in seconds else "–",
                    "inputs": _code(entry["data"]),
                    "image": f"`{digest}`",
                }
            )
    table = pd.DataFrame(rows)
    return table.to_markdown(index=False, disable_numparse=True) + "\n" if rows else ""


def _code(text: str | None) -> str:
    return f"`{text}`" if isinstance(text, str) else "–"


def _figures(path: Path) -> list[tuple[str, str]]:
    """Return name and hash of each named figure of a notebook."""
    found = []
    for cell in nbformat.read(path, as_version=4).cells:
        name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        for output in cell.get("outputs", []):
            image = output.get("data", {}).get("image/png")
            if name and image:
                found.append((name, short_hash(base64.b64decode(image))))
                break
    return found


def short_hash(content: bytes) -> str:
    """Return the first digits of a SHA-256."""
    return hashlib.sha256(content).hexdigest()[:_DIGITS]
