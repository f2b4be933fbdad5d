"""A machine that has no published files and no network."""

from __future__ import annotations

import pytest

from deepsif_lite.recordings import published


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """An empty machine without a network."""
    import requests

    def refuse(*args, **kwargs):
        raise requests.ConnectionError("no network")

    monkeypatch.setattr(requests, "get", refuse)
    monkeypatch.setattr(published, "cache_dir", lambda: tmp_path / "cache")
    monkeypatch.delenv("DEEPSIF_LITE_DATA", raising=False)
