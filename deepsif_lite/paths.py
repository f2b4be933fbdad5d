"""Where shipped artefacts are read and where results are written."""

from __future__ import annotations

import os
from pathlib import Path


def data_dir() -> Path:
    """Return the folder of shipped artefacts (head models, clips, weights).

    A checkout keeps it beside the package, an installed wheel inside it.

    Raises
    ------
    FileNotFoundError
        Neither folder exists.
    """
    package = Path(__file__).resolve().parent
    for folder in (package.parent / "data", package / "data"):
        if folder.is_dir():
            return folder
    msg = f"No data folder beside or inside {package}; reinstall deepsif-lite."
    raise FileNotFoundError(msg)


def results_dir(profile: str) -> Path:
    """Return (and create) the folder where chapters write tables and figures.

    ``DEEPSIF_LITE_RESULTS`` overrides the root, which is ``_build/results`` of the
    checkout, or of the working directory when there is no checkout.
    """
    checkout = Path(__file__).resolve().parent.parent
    home = checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()
    root = Path(os.environ.get("DEEPSIF_LITE_RESULTS", home / "_build" / "results"))
    folder = root / profile
    folder.mkdir(parents=True, exist_ok=True)
    return folder
