"""Where the project lives on the web, and links that follow from it.

The address is that of the git remote ``origin``. Without one there is none: links stay
relative, and notebooks say how to install the package from a folder.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GITHUB = "https://github.com/"
# A link of a chapter to a page of the book, or to another chapter.
_RELATIVE = re.compile(r"\]\((?:\.\./book/(\w+)\.md|(\d\d\w*)\.ipynb)(#[\w-]+)?\)")
_ABSOLUTE = re.compile(r"\]\(https?://[^)\s]+/(book|notebooks)/(\w+)\.html(#[\w-]+)?\)")


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


def site_url(repository: str | None) -> str | None:
    """Return where GitHub publishes the site of a repository, None elsewhere."""
    if not (repository or "").startswith(GITHUB):
        return None
    owner, name = repository.removeprefix(GITHUB).split("/")[:2]
    return f"https://{owner.lower()}.github.io/{name}"


def absolute_links(text: str, site: str | None) -> str:
    """Lead links between pages to the published site: Colab has no other pages."""
    if site is None:
        return text

    def published(match: re.Match) -> str:
        page, chapter, place = match.groups()
        where = f"book/{page}" if page else f"notebooks/{chapter}"
        return f"]({site}/{where}.html{place or ''})"

    return _RELATIVE.sub(published, text)


def relative_links(text: str) -> str:
    """Undo :func:`absolute_links`: within the site, pages lie beside each other."""

    def beside(match: re.Match) -> str:
        folder, page, place = match.groups()
        where = f"../book/{page}.md" if folder == "book" else f"{page}.ipynb"
        return f"]({where}{place or ''})"

    return _ABSOLUTE.sub(beside, text)


def try_it(repository: str | None) -> str:
    """Return Markdown with the ways to run the chapters in the browser."""
    if not (repository or "").startswith(GITHUB):
        return ""
    place = repository.removeprefix(GITHUB)
    colab = f"https://colab.research.google.com/github/{place}/blob/main/notebooks"
    binder = f"https://mybinder.org/v2/gh/{place}/main?urlpath=lab/tree/notebooks"
    return (
        f"Run the chapters without installing anything: [in Colab]({colab}/"
        f"04_evaluation.ipynb) (a rocket on each chapter opens that one), or "
        f"[all of them in Binder]({binder}) (two cores, some minutes to start).\n"
    )
