"""Print the whole book: Chromium puts the pages of the built site into one PDF."""

from __future__ import annotations

import sys

from address import ROOT
from browser import FLAGS, find_chromium, serving

SITE = ROOT / "_build" / "html"
PDF = ROOT / "_build" / "deepsif.pdf"
FIRST, WITH_FORMULAS = "book/intro.html", "book/notation.html"
_WAIT_MS = 600_000
# The reference, 17 pages of docstrings, is for the screen. Ids and places are made those
# of one page, so that links between pages lead on.
_JOIN = """async first => {
  const parts = [], seen = new Set();
  for (let at = new URL(first, location.origin); at && !seen.has(at.pathname);) {
    seen.add(at.pathname);
    const page = new DOMParser().parseFromString(await (await fetch(at)).text(), "text/html");
    const next = page.querySelector("a.right-next");
    if (!at.pathname.includes("/api")) parts.push([at, page.querySelector("article.bd-article")]);
    at = next && new URL(next.getAttribute("href"), at);
  }
  const id = (page, anchor) => (page.pathname + "-" + (anchor || "")).replace(/[^\\w-]/g, "-");
  const whole = document.querySelector("article.bd-article");
  whole.replaceChildren();
  for (const [page, article] of parts) {
    article.querySelectorAll("script, iframe, #play, .headerlink").forEach(e => e.remove());
    article.querySelectorAll("details").forEach(e => { e.open = !e.matches(".hide"); });
    article.querySelectorAll("[src]").forEach(e => { e.src = new URL(e.getAttribute("src"), page); e.loading = "eager"; });
    article.querySelectorAll("a[href]").forEach(e => {
      const to = new URL(e.getAttribute("href"), page);
      if (to.origin === location.origin) e.setAttribute("href", "#" + id(to, to.hash.slice(1)));
    });
    article.querySelectorAll("[id]").forEach(e => { e.id = id(page, e.id); });
    article.id = id(page);
    whole.append(article);
  }
  await window.MathJax?.typesetPromise?.([whole]);
  await Promise.all([...document.images].map(e => e.decode().catch(() => null)));
  return parts.length;
}"""
# On paper nothing scrolls, opens or is navigated.
_STYLE = """
header, footer, .bd-sidebar-primary, .bd-sidebar-secondary, .bd-header-article,
.prev-next-footer, .copybtn, .bd-footer-article { display: none !important; }
.bd-main, .bd-content, .bd-article-container { max-width: none !important; }
.bd-article pre { white-space: pre-wrap; overflow: visible; }
.bd-article table { display: table; overflow: visible; }
.bd-article figure, .bd-article img { break-inside: avoid; max-width: 100%; }
.bd-article h1 { break-before: page; }
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
    if not (SITE / FIRST).is_file():
        sys.exit("make pdf prints the built site: run make site, or make book, before.")
    with serving(SITE) as address, sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=FLAGS)
        count = print_pages(browser.new_page(color_scheme="light"), address)
        browser.close()
    print(
        f"{PDF.relative_to(ROOT)}: {count} pages of the site, {PDF.stat().st_size:,} B"
    )


def print_pages(page, address: str) -> int:
    """Join the pages of the site and print them; return how many there are.

    Parameters
    ----------
    page : playwright.sync_api.Page
    address : str
        Where the site is served.
    """
    page.set_default_timeout(_WAIT_MS)
    page.goto(f"{address}/{WITH_FORMULAS}", wait_until="load")
    count = page.evaluate(_JOIN, FIRST)
    page.add_style_tag(content=_STYLE)
    page.pdf(path=PDF, format="A4", scale=0.8, print_background=True, outline=True)
    return count


if __name__ == "__main__":
    main()
