"""Build the site from the pages in book/ and executed chapters.

A copy of the sources is laid out in ``_build/site``, so that the site shows exactly
the notebooks it is given, and parts of pages are made there: scorecard and record of
runs from the results of the run, the contract from the library and its table. Addresses come from the git remote; without a
remote the buttons that need one are left out.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

import api
import contract_page
import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "site"


def repository_url() -> str | None:
    """Return the web address of the git remote ``origin``, None where it has none."""
    done = subprocess.run(
        ["git", "remote", "get-url", "origin"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return web_address(done.stdout.strip())


def web_address(remote: str) -> str | None:
    """Turn a git remote into the address of its pages.

    ``git@host:owner/name.git``, ``ssh://git@host/owner/name`` and ``https`` forms are
    understood; a folder on a disk has no pages.
    """
    pattern = (
        r"(?:https?://|ssh://)?(?:[^@/]+@)?([\w.-]+\.[a-z]+)(?::\d+)?[:/](\S+?)/?$"
    )
    match = re.match(pattern, remote)
    if not match:
        return None
    host, path = match.groups()
    return f"https://{host}/{path.removesuffix('.git')}"


def configuration(url: str | None) -> dict:
    """Return ``_config.yml`` with the buttons that the repository's address allows."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    if url is None:
        return config
    config["repository"] = {"url": url, "branch": "main"}
    config["html"] |= {"use_repository_button": True, "use_issues_button": True}
    if url.startswith("https://github.com/"):  # Colab opens notebooks from GitHub only
        config["launch_buttons"] = {
            "notebook_interface": "classic",
            "binderhub_url": "",
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


def runs_table(record: Path) -> str:
    """Return the record of runs as Markdown: chapter, seconds, machine, versions.

    Parameters
    ----------
    record : path
        ``chapters.json`` beside the notebooks.
    """
    if not record.is_file():
        return "Nothing is recorded of the runs behind these notebooks.\n"
    table = pd.read_json(record, orient="index", dtype=False)
    table = table.sort_index().rename_axis("chapter").reset_index()
    shown = table[["chapter", "seconds", "commit", "device"]].copy()
    shown["seconds"] = shown["seconds"].round().astype(int)
    shown["commit"] = "`" + shown["commit"] + "`"
    lines = [shown.to_markdown(index=False, disable_numparse=True), ""]
    versions = table.drop(columns=["chapter", "seconds", "commit", "device"])
    for facts, rows in table.groupby(list(versions), sort=False, dropna=False):
        named = [f"{k} {v}" for k, v in zip(versions, facts, strict=True) if v == v]
        chapters = ", ".join(rows["chapter"].str[:2])
        lines += [f"Chapters {chapters} ran with: {', '.join(named)}.", ""]
    return "\n".join(lines)


def lay_out(profile: str, notebooks: Path) -> list[str]:
    """Copy the sources to ``_build/site``; return chapters that are missing."""
    from deepsif_lite.results import count_verdicts, load_scorecard, to_markdown

    shutil.rmtree(SITE, ignore_errors=True)
    shutil.copytree(ROOT / "book", SITE / "book", ignore=shutil.ignore_patterns("*.py"))
    (SITE / "notebooks").mkdir()
    present = sorted(notebooks.glob("[0-9][0-9]_*.ipynb"))
    for path in present:
        shutil.copy(path, SITE / "notebooks")
    toc, missing = table_of_contents({path.name for path in present})
    (SITE / "_toc.yml").write_text(yaml.safe_dump(toc, sort_keys=False))
    config = configuration(repository_url())
    config["sphinx"]["local_extensions"] = {"api": str(ROOT / "book")}
    config["sphinx"]["config"] |= api.settings(ROOT / "_build" / "inventories")
    (SITE / "_config.yml").write_text(yaml.safe_dump(config, sort_keys=False))

    generated = SITE / "book" / "_generated"
    generated.mkdir()
    results = notebooks / "results"
    table = load_scorecard(profile, results)
    (generated / "scorecard.md").write_text(to_markdown(table))
    (generated / "summary.md").write_text(count_verdicts(table, profile))
    (generated / "runs.md").write_text(runs_table(results / "chapters.json"))
    contract_page.write(generated)
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
