"""Lead the first use of a term of the glossary, on each page, to its entry."""

from __future__ import annotations

import re
from pathlib import Path

_ENTRY = re.compile(r"^([^\s:#{].*)$", re.M)
_LEFT_ALONE = re.compile(
    r"""(
      ```.*?``` | :::.*?$ | ~~~.*?~~~       # blocks of code, fences of directives
    | \{[\w:+-]+\}`[^`]*` | `[^`]*`          # roles, code
    | \$\$.*?\$\$ | \$[^$\n]*\$              # formulas
    | !?\[[^\]]*\]\([^)]*\)                  # links
    | \*\*[^*\n]*\*\* | \*[^*\n]*\*          # what has a stress of its own
    | ^\#.*?$ | ^\|.*?$ | https?://\S+       # headings, tables
    )""",
    re.M | re.S | re.X,
)

_OTHER_SENSE = "(?<!single )(?<!double )"  # precision of numbers, no score
_TO_THE_PAGE = re.compile(r"\[([^\]]+)\]\((?:\.\./book/)?glossary\.md\)")


def read_glossary(path: Path) -> list[str]:
    """Return the terms of the page ``glossary.md``."""
    text = path.read_text().split(":::{glossary}")[1].split("\n:::")[0]
    return [term.strip() for term in _ENTRY.findall(text)]


class FirstUses:
    """Links terms where a page uses them first; one object a page.

    Parameters
    ----------
    terms : list of str
        As the glossary writes them.
    """

    def __init__(self, terms: list[str]) -> None:
        self.all = {term.casefold(): term for term in terms}
        self.left = dict(self.all)

    def link(self, text: str) -> str:
        """Return a piece of the page's Markdown with its links."""
        text = _TO_THE_PAGE.sub(self._to_entry, text)
        for name in re.findall(r"\{term\}`(?:[^`<]*<)?([^`>]*)>?`", text):
            self.left.pop(name.strip().casefold(), None)
        parts = _LEFT_ALONE.split(text)
        # The pattern has one group: what it found stands at odd places.
        parts[::2] = [self._link_plain(part) for part in parts[::2]]
        return "".join(parts)

    def _to_entry(self, match: re.Match) -> str:
        """Lead a link to the glossary's page to the entry, where there is one."""
        text = match.group(1)
        name = text.casefold()
        term = self.all.get(name) or self.all.get(name.removesuffix("s"))
        return f"{{term}}`{text} <{term}>`" if term else match.group()

    def _link_plain(self, text: str) -> str:
        if not self.left:
            return text
        longest_first = sorted(self.left, key=len, reverse=True)
        names = "|".join(re.escape(name) for name in longest_first)
        pattern = re.compile(rf"{_OTHER_SENSE}(?<![\w-])({names})(s?)(?![\w-])", re.I)
        return pattern.sub(self._replace, text)

    def _replace(self, match: re.Match) -> str:
        term = self.left.pop(match.group(1).casefold(), None)
        return match.group() if term is None else f"{{term}}`{match.group()} <{term}>`"
