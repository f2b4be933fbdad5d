"""Print the whole book: build it as one page, and let Chromium make a PDF of that."""

from __future__ import annotations

import subprocess
import sys

from address import ROOT
from browser import FLAGS, find_chromium, serving

PAGE = ROOT / "_build" / "singlehtml"
PDF = ROOT / "_build" / "deepsif.pdf"
_WAIT_MS = 600_000
# On paper nothing scrolls, opens or is navigated.
_STYLE = """
.bd-header-article, .bd-sidebar-primary, .bd-sidebar-secondary, .prev-next-footer,
.bd-header, .copybtn, #play, iframe, .headerlink { display: none !important; }
.bd-article pre, .bd-article table { white-space: pre-wrap; overflow: visible; }
.bd-article table { white-space: normal; }
.bd-main, .bd-content, .bd-article-container { max-width: none !important; }
.bd-article figure, .bd-article img { break-inside: avoid; max-width: 100%; }
.bd-article h1 { break-before: page; }
details > summary { list-style: none; }
"""


def main() -> None:
    """Write ``_build/deepsif.pdf``, or say what is missing."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sys.exit("make pdf needs the Python package playwright.")
    chromium = find_chromium()
    if chromium is None:
        sys.exit("make pdf needs Chromium (chromium or google-chrome) on the path.")
    build = [sys.executable, str(ROOT / "book" / "build_site.py"), *sys.argv[1:]]
    subprocess.run([*build, "--builder", "singlehtml"], check=True)
    with serving(PAGE) as address, sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(color_scheme="light")
        page.set_default_timeout(_WAIT_MS)
        page.goto(f"{address}/index.html", wait_until="load")
        page.add_style_tag(content=_STYLE)
        # Equations are drawn after the page has come.
        page.evaluate("window.MathJax?.startup?.promise")
        page.pdf(path=PDF, format="A4", scale=0.8, print_background=True, outline=True)
        browser.close()
    print(f"Book: {PDF.relative_to(ROOT)} ({PDF.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()
