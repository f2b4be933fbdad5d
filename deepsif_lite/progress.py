"""The progress bar of everything that takes long."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tqdm import tqdm


def progress_bar(show: bool, **options) -> tqdm:
    """Return a bar (:func:`tqdm.auto.tqdm`) that ``show=False`` silences.

    The environment silences it too: ``TQDM_DISABLE=1``. tqdm heeds that only where
    ``disable`` is not given, not even as ``False``.
    """
    from tqdm.auto import tqdm

    return tqdm(**options) if show else tqdm(**options, disable=True)
