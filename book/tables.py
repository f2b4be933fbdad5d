"""Tables as a page shows them: what pandas wrote, and captions."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup
from bs4.element import Tag

_NUMBERS = re.compile(r"[-+\d.,± ()%]+")
_MISSING = re.compile(r"<td>(?:NaN|nan|None|NaT|&lt;NA&gt;)</td>")


def tidy(html: str) -> str:
    """Return a table without empty heads: readers who hear it are told each of them.

    pandas writes the names of an index in a row of their own, below the heads of the
    columns; here they stand in the last row of these, before the name of the columns
    where that has one (``rows / columns``). What is missing is a dash, and numbers
    that belong together (``0.81 ± 0.01``, ``-40, -24, 51``) stay on one line.

    Parameters
    ----------
    html : str
        As ``DataFrame._repr_html_`` writes it.
    """
    page = BeautifulSoup(html, "html.parser")
    for head in page.find_all("thead"):
        rows = head.find_all("tr")
        if len(rows) > 1 and _names_an_index(rows[-1]):
            for cell, name in zip(_cells(rows[-2]), _cells(rows[-1]), strict=False):
                both = (name.get_text(strip=True), cell.get_text(strip=True))
                if both[0]:
                    cell.string = " / ".join(filter(None, both))
            rows[-1].decompose()
        for cell in head.find_all("th"):
            if not cell.get_text(strip=True):
                cell.name = "td"
    for cell in page.find_all("td"):
        text = cell.get_text()
        if " " in text and _NUMBERS.fullmatch(text):
            cell.string = text.replace(" ", "\u00a0")
    return _MISSING.sub("<td>–</td>", str(page))


def captioned(html: str, number: str, caption: str) -> str:
    """Return a table with its number and caption before it, of which it is told."""
    page = BeautifulSoup(html, "html.parser")
    table = page.find("table")
    told = page.new_tag("p", id=f"table-{number.replace('.', '-')}")
    told["class"] = "table-caption"
    label = page.new_tag("em")
    label.string = f"Table {number}"
    told.extend([label, f" {caption}"])
    table["aria-labelledby"] = told["id"]
    table.insert_before(told)
    return str(page)


def with_caption(markdown: str, caption: str) -> str:
    """Return a table in Markdown under its caption; Sphinx gives it a number."""
    return f":::{{table}} {caption}\n{markdown.strip()}\n:::\n"


def with_captions(markdown: str, caption: str) -> str:
    """Return sections of one table each, the heading of a section in its caption."""
    sections = re.split(r"^## (.+)$", markdown, flags=re.MULTILINE)
    headed = zip(sections[1::2], sections[2::2], strict=True)
    parts = [f"## {h}\n\n{with_caption(t, caption.format(h))}" for h, t in headed]
    return "\n".join([sections[0], *parts])


def _cells(row: Tag) -> list[Tag]:
    return row.find_all("th")


def _names_an_index(row: Tag) -> bool:
    """Whether a row holds names first and nothing behind: no label of a column."""
    texts = [cell.get_text(strip=True) for cell in _cells(row)]
    return bool(texts[0]) and not texts[-1]
