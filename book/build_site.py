"""Build the site from the pages in book/ and executed chapters.

A copy of the sources is laid out in ``_build/site``, so that the site shows exactly
the notebooks it is given, and parts of pages are made there: scorecard and record of
runs from the results of the run, the contract from the library and its table. Addresses come from the git remote; without a
remote the buttons that need one are left out.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import api
import contract_page
import images
import nbformat
import needs
import pandas as pd
import play_assets
import records
import site_extras
import tables
import terms
import yaml
from address import GITHUB, ROOT, relative_links, repository_url, site_url, try_it

SITE = ROOT / "_build" / "site"
# Records of other profiles than that of the chapters shown.
STORED = ROOT / "notebooks" / "results"


def configuration(url: str | None) -> dict:
    """Return ``_config.yml`` with the buttons that the repository's address allows."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    if url is None:
        return config
    config["repository"] = {"url": url, "branch": "main"}
    site = site_url(url)
    if site is not None:  # social cards want whole addresses
        config["html"]["baseurl"] = f"{site}/"
        card = f"{site}/_static/teaser.png"
        config["sphinx"]["config"]["myst_html_meta"]["property=og:image"] = card
    config["html"] |= {"use_repository_button": True, "use_issues_button": True}
    if url.startswith(GITHUB):  # Colab and Binder open GitHub only
        config["launch_buttons"] = {
            "notebook_interface": "classic",
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
        }
    return config


def table_of_contents(present: set[str]) -> tuple[dict, list[str]]:
    """Return ``_toc.yml`` without the chapters that are not there, and those."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    missing = []
    for part in toc["parts"]:
        kept = []
        for chapter in part["chapters"]:
            name = chapter["file"]
            if name.startswith("notebooks/") and Path(name).name not in present:
                missing.append(name)
            else:
                kept.append(chapter)
        part["chapters"] = kept
    return toc, missing


def copy_chapter(source: Path, target: Path, record: pd.DataFrame) -> None:
    """Copy a notebook, and make of it what the site shows.

    Links lead to the pages beside it and terms to the glossary, its head says what the
    chapter takes, heads of tables are not empty, and figures have the size of the text.

    Parameters
    ----------
    source, target : path
    record : DataFrame
        Of the runs, from :func:`records.read`.
    """
    notebook = nbformat.read(source, as_version=4)
    uses = terms.FirstUses(terms.read_glossary(ROOT / "book" / "glossary.md"))
    chapter = site_extras.chapter_number(f"notebooks/{source.stem}")
    numbers = (f"{chapter}.{k}" for k in itertools.count(1))
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = needs.say_what_it_takes(cell.source, source.stem, record, STORED)
            cell.source = uses.link(relative_links(text))
        else:
            show_outputs(cell, numbers)
    nbformat.write(notebook, target)


def show_outputs(cell: nbformat.NotebookNode, numbers: Iterator[str]) -> None:
    """Tidy and number a cell's tables, and give its figures their size on the page."""
    images.shrink(cell.outputs)
    caption = cell.metadata.get("table", {}).get("caption", "")
    for output in cell.outputs:
        data = output.get("data", {})
        if "<table" in data.get("text/html", ""):
            shown = tables.tidy(data["text/html"])
            data["text/html"] = tables.captioned(shown, next(numbers), caption)
        if "image/png" in data and "mystnb" in cell.metadata:
            size = images.shown_size(base64.b64decode(data["image/png"]))
            if size is not None:
                shown = cell.metadata["mystnb"].setdefault("image", {})
                shown.setdefault("width", f"{size[0]}px")


def lay_out(profile: str, notebooks: Path) -> list[str]:
    """Copy the sources to ``_build/site``; return chapters that are missing."""
    from deepsif_lite.results import count_verdicts, load_scorecard, to_markdown

    shutil.rmtree(SITE, ignore_errors=True)
    shutil.copytree(ROOT / "book", SITE / "book", ignore=shutil.ignore_patterns("*.py"))
    (SITE / "notebooks").mkdir()
    present = sorted(notebooks.glob("[0-9][0-9]*_*.ipynb"))
    results = notebooks / "results"
    record = records.read(results)
    for path in present:
        copy_chapter(path, SITE / "notebooks" / path.name, record)
    toc, missing = table_of_contents({path.name for path in present})
    (SITE / "_toc.yml").write_text(yaml.safe_dump(toc, sort_keys=False))
    config = configuration(repository_url())
    local = dict.fromkeys(("api", "site_extras"), str(ROOT / "book"))
    config["sphinx"]["local_extensions"] = local
    config["sphinx"]["config"] |= api.settings(ROOT / "_build" / "inventories")
    (SITE / "_config.yml").write_text(yaml.safe_dump(config, sort_keys=False))

    generated = SITE / "book" / "_generated"
    generated.mkdir()
    table = load_scorecard(profile, results)
    scorecard = tables.with_captions(to_markdown(table), "{}: the paper and ours.")
    (generated / "scorecard.md").write_text(scorecard)
    (generated / "summary.md").write_text(count_verdicts(table, profile))
    (generated / "try_it.md").write_text(try_it(repository_url()))
    (generated / "runs.md").write_text(records.runs_table(record))
    (generated / "needs.md").write_text(needs.needs_table(record, STORED))
    (generated / "needs_colab.md").write_text(needs.colab_table(record, STORED))
    (generated / "figures.md").write_text(records.figures_table(present, record))
    contract_page.write(generated)
    play_assets.write(SITE / "book" / "_static" / "play")
    api.write_pages(SITE)
    return missing


def main() -> None:
    """Build the site (or check its links) and print where it is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", default="lite")
    parser.add_argument("--notebooks", type=Path, default=ROOT / "notebooks")
    parser.add_argument("--builder", default="html")
    options = parser.parse_args()
    missing = lay_out(options.profile, options.notebooks.resolve())
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [str(jupyter_book), "build", str(SITE)]
    command += ["--path-output", str(ROOT), "--builder", options.builder]
    command += ["--all", "-W", "--keep-going", "-n", "-q"]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if missing:
        print(f"Not executed yet, so not in the site: {', '.join(missing)}")
    if code == 0 and options.builder == "html":
        print(f"Site: {(ROOT / '_build' / 'html' / 'index.html').relative_to(ROOT)}")
    sys.exit(code)


if __name__ == "__main__":
    main()
