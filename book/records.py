"""What the record of runs says: of chapters, of what they take, of their figures."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import nbformat
import pandas as pd
from setup_cell import ON_GPU

COLAB = {"T4 (2 cores)": 1.5, "A100 (12 cores)": 0.7}
"""Time there over the time on two cores: a guess from their processors, which do nearly
all the work of a chapter. No chapter was timed there."""

_OF_A_CHAPTER = ["seconds", "commit", "device", "memory_gb", "data", "figures"]
"""What differs between chapters that one machine has run."""
_DIGITS = 12  # of a SHA-256, enough to tell files apart
_RUN_TIME = re.compile(r"\*\*Run time\.\*\* [^.]*\.")


def read(folder: Path) -> pd.DataFrame:
    """Read ``chapters.json`` of a folder of results; empty where there is none."""
    path = folder / "chapters.json"
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


def needs_table(record: pd.DataFrame) -> str:
    """Return what each chapter takes, measured here and estimated on Colab."""
    if record.empty:
        return ""
    shown = pd.DataFrame({"chapter": record.index})
    for column, text in _needs(record).items():
        shown[column] = text.to_numpy()
    return shown.to_markdown(index=False, disable_numparse=True) + "\n"


def _needs(record: pd.DataFrame) -> dict[str, pd.Series]:
    minutes = record["seconds"] / 60
    needs = {"time here": minutes.map(_minutes), "memory": record["memory_gb"].map(_gb)}
    for machine, factor in COLAB.items():
        needs[machine] = "≈ " + (minutes * factor).map(_minutes)
    helps = [
        "quicker with one" if name in ON_GPU else "no use" for name in record.index
    ]
    return needs | {"graphics card": pd.Series(helps, index=record.index)}


def _minutes(minutes: float) -> str:
    return f"{max(minutes, 0.1):.1f} min"


def _gb(memory: float | None) -> str:
    return "not recorded" if pd.isna(memory) else f"{memory:.1f} GB"


def say_what_it_takes(source: str, chapter: str, record: pd.DataFrame) -> str:
    """Put what was recorded in the place of the run time that a chapter's head names.

    Parameters
    ----------
    source : str
        A cell of Markdown.
    chapter : str
        Its name, ``"04_evaluation"``.
    record : DataFrame
        From :func:`read`.
    """
    if chapter not in record.index:
        return source
    profile = record.loc[chapter, "profile"]
    needs = {k: v[chapter] for k, v in _needs(record).items()}
    estimates = " and ".join(f"{needs[m]} on its {m}" for m in COLAB)
    memory = needs["memory"]
    measured = "" if memory == "not recorded" else f" and at most {memory} of memory"
    use = "makes it quicker" if chapter in ON_GPU else "is of no use"
    text = (
        f"**This chapter takes** {needs['time here']}{measured} here, on two cores at "
        f"profile `{profile}` (measured); on Colab {estimates} (estimated). "
        f"A graphics card {use}."
    )
    return _RUN_TIME.sub(text, source)


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
                    "its cell": f"{seconds[name]:.1f} s" if name in seconds else "–",
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
