"""What the site's pages have beside their text (an extension of Sphinx)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_AFTER_ALL = 900  # others have added their scripts by then


def setup(app: Sphinx) -> None:
    """Leave out scripts that no page uses (called by Sphinx)."""
    app.connect("html-page-context", _without_thebe, priority=_AFTER_ALL)


def _without_thebe(app: Sphinx, page: str, template: str, context: dict, doc) -> None:
    # Jupyter Book includes it twice, and the second complains of the first.
    scripts = context.get("script_files", [])
    context["script_files"] = [s for s in scripts if not _is_thebe(s)]


def _is_thebe(script) -> bool:
    body = getattr(script, "attributes", {}).get("body", "")
    return "thebe" in f"{getattr(script, 'filename', script)} {body}".lower()
