"""Write what the page "What can be imaged" includes: the contract and its table.

The contract is the notes of :func:`deepsif_lite.recordings.prepare`. The table is
measured and stored by ``make contract``; a test holds it against the library.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import pandas as pd
from numpydoc.docscrape import FunctionDoc

from deepsif_lite.recordings import prepare

TABLE = Path(__file__).with_name("contract.csv")
COLUMNS = {
    "input": "input",
    "verdict": "verdict",
    "deepsif_mm": "DeepSIF, mm",
    "sloreta_mm": "sLORETA, mm",
    "said": "said",
}
LIMIT = "limit"


def contract() -> str:
    """Return the contract as MyST."""
    notes = inspect.cleandoc("\n".join(FunctionDoc(prepare)["Notes"]))
    return (
        f"```{{eval-rst}}\n.. currentmodule:: deepsif_lite.recordings\n\n{notes}\n```\n"
    )


def tables() -> str:
    """Return the measured rows as MyST, a table for each kind of input."""
    rows = pd.read_csv(TABLE, dtype=str, keep_default_na=False)
    parts = []
    for kind, part in rows.groupby("kind", sort=False):
        shown = part[list(COLUMNS)].rename(columns=COLUMNS)
        shown["said"] = [_shown(text) for text in shown["said"]]
        table = shown.to_markdown(index=False, disable_numparse=True)
        parts.append(f"### {kind.capitalize()}\n\n{table}\n")
    return "\n".join(parts)


def summary() -> str:
    """Return how many inputs got which verdict, as a sentence."""
    verdicts = pd.read_csv(TABLE)["verdict"].value_counts()
    counts = ", ".join(f"{n} {name}" for name, n in verdicts.items() if name != LIMIT)
    return f"{verdicts.sum()} inputs: {counts}; {verdicts[LIMIT]} known limits.\n"


def _shown(expression: str) -> str:
    """Return a regular expression as a reader sees it."""
    plain = expression.replace(".*", " … ").replace("|", " or ").replace("\\", "")
    return f"`{plain}`" if plain else ""


def write(folder: Path) -> None:
    """Write the parts that the page includes."""
    folder.joinpath("contract.md").write_text(contract())
    folder.joinpath("contract_summary.md").write_text(summary())
    folder.joinpath("contract_table.md").write_text(tables())
