"""Fetch the published files: recordings, and heads and anatomy made by others.

The files belong to others and are never shipped. ``data/registry.json`` says for
each where it comes from (a pinned commit), its SHA-256, license and citation.
A file is looked up in the folder named by ``DEEPSIF_LITE_DATA``, then in the
cache, then on the network, and is checked by its SHA-256 each time.
"""

from __future__ import annotations

import json
import os
import re
from functools import lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath

from ..artifacts import read_shipped
from ..errors import ArtifactError, RecordingUnavailable, check_option

_DOWNLOAD_TIMEOUT = 10  # s without an answer
_SHA256 = re.compile(r"[0-9a-f]{64}")


@lru_cache(maxsize=1)
def registry() -> dict[str, dict]:
    """Return the record of every published file, by name.

    Returns
    -------
    dict of str to dict
        Keys ``url``, ``sha256``, ``bytes``, ``license``, ``citation``,
        ``description``.

    Raises
    ------
    ArtifactError
        The registry is damaged, an entry could write outside its folder, or its
        content could not be checked.
    """
    return read_registry(read_shipped("registry.json"))


def read_registry(text: str) -> dict[str, dict]:
    """Read a registry, and refuse entries that could do harm.

    Parameters
    ----------
    text : str
        JSON.

    Returns
    -------
    dict of str to dict

    Raises
    ------
    ArtifactError
        It is no JSON, a name leads outside its folder, an address is not https, or a
        SHA-256 is missing.
    """
    try:
        records = json.loads(text)
        faults = {name: _fault(name, record) for name, record in records.items()}
    except (ValueError, AttributeError, TypeError) as error:
        msg = f"registry.json is damaged ({error}); reinstall deepsif-lite."
        raise ArtifactError(msg) from error
    for name, fault in faults.items():
        if fault:
            msg = f"registry.json, entry {name!r}: {fault}; reinstall deepsif-lite."
            raise ArtifactError(msg)
    return records


def _fault(name: str, record: dict) -> str | None:
    windows = PureWindowsPath(name)  # takes both kinds of slashes
    leads_out = ".." in windows.parts or windows.anchor or PurePosixPath(name).anchor
    if leads_out or not name:
        return "its name leads outside the folder"
    if not str(record.get("url")).startswith("https://"):
        return "its address is not https"
    if not _SHA256.fullmatch(str(record.get("sha256"))):
        return "it has no SHA-256"
    return None


def find(name: str) -> Path | None:
    """Look a published file up on this machine only.

    Parameters
    ----------
    name : str
        A key of :func:`registry`.

    Returns
    -------
    pathlib.Path | None
        None where the file is neither in ``DEEPSIF_LITE_DATA`` nor, whole, in the
        cache.

    Raises
    ------
    OptionError
        The name is not in the registry.
    RecordingUnavailable
        ``DEEPSIF_LITE_DATA`` holds a file of that name whose SHA-256 differs.
    """
    import pooch

    record = _record(name)
    named = os.environ.get("DEEPSIF_LITE_DATA")
    if named and (path := Path(named) / name).is_file():
        found = pooch.file_hash(str(path), alg="sha256")
        if found != record["sha256"]:
            msg = (
                f"{path} is not the published file {name!r}: its SHA-256 is {found}, "
                f"expected {record['sha256']}. Delete it, or replace it by "
                f"{record['url']}."
            )
            raise RecordingUnavailable(msg)
        return path
    path = cache_dir() / name
    whole = path.is_file() and pooch.file_hash(str(path)) == record["sha256"]
    return path if whole else None


def fetch(name: str) -> Path:
    """Return the path of a published file, downloading it where needed.

    Parameters
    ----------
    name : str
        A key of :func:`registry`, such as ``"deepsif/source/VEP/data1.mat"``.

    Returns
    -------
    pathlib.Path
        A file whose SHA-256 has been checked.

    Raises
    ------
    OptionError
        The name is not in the registry.
    RecordingUnavailable
        The file is not on this machine and could not be downloaded, or
        ``DEEPSIF_LITE_DATA`` holds a file of that name with another content.
    """
    return find(name) or _download(name)


def _record(name: str) -> dict:
    check_option("name", name, registry())
    return registry()[name]


def cache_dir() -> Path:
    """Return where downloads are kept.

    Raises
    ------
    RecordingUnavailable
        The user has no home.
    """
    import pooch

    try:
        folder = Path(pooch.os_cache("deepsif_lite"))
    except RuntimeError:
        folder = Path("~")
    if not folder.is_absolute():  # so older versions of platformdirs tell it
        msg = (
            "Published files have no place on this machine: the user has no home. Set "
            "HOME to a folder, or DEEPSIF_LITE_DATA to one that holds the files."
        )
        raise RecordingUnavailable(msg)
    return folder


def _download(name: str) -> Path:
    """Download into the cache; a damaged file there is replaced."""
    import pooch

    record = _record(name)
    pooch.get_logger().setLevel("WARNING")  # it prints where the cache lies
    try:
        path = pooch.retrieve(
            record["url"],
            known_hash=f"sha256:{record['sha256']}",
            fname=name,
            path=cache_dir(),
            downloader=pooch.HTTPDownloader(timeout=_DOWNLOAD_TIMEOUT),
        )
    except (OSError, ValueError) as error:  # no network, or another content
        # What the network says is long and does not help.
        on_disk = isinstance(error, PermissionError) or getattr(error, "errno", None)
        named = os.environ.get("DEEPSIF_LITE_DATA") or "a folder of your choice"
        msg = (
            f"The published file {name!r} is not on this machine and could not be "
            f"downloaded ({error if on_disk else type(error).__name__}). Get "
            f"{record['url']} (SHA-256 {record['sha256']}, {record['bytes']} bytes), put "
            f"it at {name!r} inside {named} and set DEEPSIF_LITE_DATA to that folder."
        )
        raise RecordingUnavailable(msg) from error
    return Path(path)
