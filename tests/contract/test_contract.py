"""Every input of the contract gets the verdict that the book promises.

No wrong image comes without a word: what is imaged or repaired lies within 10 mm of
the simulated patch (20 mm where 16 electrodes or fewer are all there is), and what is
imaged comes with no warning.
"""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from contract.rows import ROWS
from contract.table import (
    IMAGED,
    LIMIT,
    METHODS,
    NOTICED,
    REFUSED,
    REPAIRED,
    STORED,
    WITHIN,
    observe,
    stored,
)

from deepsif_lite.cli import main
from deepsif_lite.imaging import report

LEAST_ROWS = 100
CASES = [
    pytest.param(row, method, id=f"{row.kind}-{row.text}-{method}")
    for row in ROWS
    for method in row.methods
]
FILES = [row for row in ROWS if row.kind == "files"]


@pytest.fixture(scope="session")
def book():
    """The measured table that the book shows."""
    return stored().set_index("input")


@pytest.mark.parametrize(("row", "method"), CASES)
def test_input(row, method, tmp_path, book):
    found = observe(row, method, tmp_path)
    if row.verdict == REFUSED:
        assert found.error, f"{found.away:.0f} mm; {found.said}"
        classes = {each.__name__ for each in type(found.error).__mro__}
        assert row.says in classes, repr(found.error)
        return
    if found.error:
        raise found.error
    if row.verdict == LIMIT:  # no check knows of it, but a network may doubt
        assert not found.said or "more likely active than not" in found.said
    if row.verdict == IMAGED:
        assert found.said == ""
    else:
        assert re.search(row.says, found.said), found.said
    if row.verdict in (IMAGED, REPAIRED):
        assert found.away <= row.within
    if method in METHODS and row.verdict != NOTICED:
        assert abs(found.away - float(book.loc[row.text, f"{method}_mm"])) <= WITHIN


def test_the_book_shows_this_table():
    table = stored()
    texts = [row.text for row in ROWS]
    assert list(table["input"]) == texts, f"run `make contract` to renew {STORED.name}"
    assert list(table["verdict"]) == [row.verdict for row in ROWS]
    assert list(table["said"]) == [row.says for row in ROWS]
    assert len(texts) == len(set(texts)) >= LEAST_ROWS
    assert set(Counter(table["verdict"])) == {IMAGED, REPAIRED, NOTICED, REFUSED, LIMIT}


@pytest.mark.filterwarnings("always::UserWarning")  # warnings are printed
@pytest.mark.parametrize("row", FILES, ids=lambda row: row.text)
def test_command_line_says_and_shows_the_same(row, tmp_path, monkeypatch, capsys):
    if "head" in row.options or "model" in row.options:
        pytest.skip("objects have no place on a command line")
    found = observe(row, "sloreta", tmp_path)
    images = []
    monkeypatch.setattr(
        report, "write_image", lambda image, *_: images.append(image) or []
    )
    arguments = ["image", str(row.make(tmp_path)), "--method", "sloreta"]
    for name, value in row.options.items():
        values = value if isinstance(value, tuple) else (value,)
        arguments += [f"--{name}", *map(str, values)]
    assert main(arguments) == (2 if found.error else 0)
    said = " ".join(capsys.readouterr().err.split())
    if found.error:
        assert " ".join(str(found.error).split()) in said
        return
    np.testing.assert_allclose(images[0].activity, found.activity)
    assert bool(found.said) == ("warning" in said)
