"""What the site's pages have beside their text (an extension of Sphinx)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

from docutils import nodes
from pybtex.plugin import register_plugin
from pybtex.style.formatting import plain
from pybtex.style.labels import BaseLabelStyle
from pybtex.style.sorting import BaseSortingStyle

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_BEFORE_ALL, _AFTER_ALL = 100, 900  # others use what is changed here, or make it
_CHAPTER = re.compile(r"notebooks/0*(\d+\w*?)_")
_ICONS = Path("_static", "scripts", "fontawesome.js")


def _cited_as(entry) -> str:
    """Return how the text cites a work: its first author, or two, and the year."""
    names = [
        " ".join(str(part) for part in person.rich_last_names)
        for person in entry.persons["author"]
    ]
    shown = " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
    return f"{shown}, {entry.fields['year']}"


class _Labels(BaseLabelStyle):
    def format_labels(self, entries):
        return map(_cited_as, entries)


class _Sorting(BaseSortingStyle):
    def sorting_key(self, entry):
        return normalize("NFKD", _cited_as(entry)).casefold()  # ä beside a


class _ByName(plain.Style):
    """A list in which a citation of the text can be found by eye."""

    default_label_style = _Labels
    default_sorting_style = _Sorting


register_plugin("pybtex.style.formatting", "by_name", _ByName)


def setup(app: Sphinx) -> None:
    """Connect what numbers chapters and figures, and what leaves out scripts."""
    app.connect("doctree-read", _number_title, priority=_BEFORE_ALL)
    app.connect("doctree-read", _unwrap_exercises, priority=_BEFORE_ALL)
    app.connect("doctree-read", _fetch_figures_late)
    app.connect("doctree-resolved", _tidy_solutions, priority=_AFTER_ALL)
    app.connect("env-get-updated", _number_by_chapter, priority=_AFTER_ALL)
    app.connect("html-page-context", _without_thebe, priority=_AFTER_ALL)
    app.connect("build-finished", _without_drawn_icons)


def chapter_number(page: str) -> str | None:
    """Return ``"2b"`` for ``"notebooks/02b_inverse"``, None for what is no chapter."""
    match = _CHAPTER.match(page)
    return match and match.group(1)


def _number_title(app: Sphinx, document: nodes.document) -> None:
    number = chapter_number(app.env.docname)
    title = next(document.findall(nodes.title), None)
    if number and title is not None:
        title.insert(0, nodes.Text(f"{number}  "))


def _unwrap_exercises(app: Sphinx, document: nodes.document) -> None:
    # sphinx-exercise puts the text of each into a section, without a title and all with
    # one id: other extensions stumble over the former, readers of pages over the latter.
    for section in list(document.findall(nodes.section)):
        if not isinstance(section.parent, nodes.Admonition):
            continue
        box = nodes.container("", *section.children, classes=["exercise-text"])
        section.parent.replace(section, box)


def _tidy_solutions(app: Sphinx, document: nodes.document, page: str) -> None:
    # sphinx-exercise writes the space between words into the link, which underlines it.
    for title in document.findall(nodes.title):
        for link in list(title.findall(nodes.reference)):
            text = next(link.findall(nodes.Text))
            if text.startswith(" "):
                link.parent.insert(link.parent.index(link), nodes.Text(" "))
                text.parent.replace(text, nodes.Text(text.lstrip()))


def _fetch_figures_late(app: Sphinx, document: nodes.document) -> None:
    for image in document.findall(nodes.image):
        image["loading"] = "lazy"  # when the reader comes near


def _number_by_chapter(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Count figures and exercises within a chapter, Fig. 2b.3, or another page."""
    for page, kinds in env.toc_fignumbers.items():
        number = chapter_number(page)
        before = () if number is None else (number,)
        for found in kinds.values():
            in_order = sorted(found, key=found.get)
            found |= {name: (*before, k) for k, name in enumerate(in_order, 1)}
    return []


def _without_thebe(app: Sphinx, page: str, template: str, context: dict, doc) -> None:
    # Jupyter Book includes it twice, and the second complains of the first.
    scripts = context.get("script_files", [])
    context["script_files"] = [s for s in scripts if not _is_thebe(s)]


def _is_thebe(script) -> bool:
    body = getattr(script, "attributes", {}).get("body", "")
    return "thebe" in f"{getattr(script, 'filename', script)} {body}".lower()


def _without_drawn_icons(app: Sphinx, error: Exception | None) -> None:
    """Leave icons to the theme's fonts: its script that draws them weighs more.

    Half a megabyte a page, compressed; the styles of the theme show the same icons by
    fonts of a quarter of that, which pages fetch in any case.
    """
    script = Path(app.outdir, _ICONS)
    if error is None and script.is_file():
        script.write_text("// The theme's fonts have the icons.\n")
