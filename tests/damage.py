"""Ways in which a file is damaged."""

from __future__ import annotations

import shutil

from deepsif_lite import paths

KINDS = ("truncated", "empty", "missing", "flipped", "overwritten")


def damage(path, kind):
    """Damage a file in place."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    if kind == "missing":
        path.unlink()
        return
    if kind == "truncated":
        content = content[:middle]
    elif kind == "empty":
        content = b""
    elif kind == "flipped":
        content[middle] ^= 1
    else:
        block = min(4096, len(content) - middle)
        content[middle : middle + block] = b"\xff" * block
    path.write_bytes(content)


def copy_data(monkeypatch, folder):
    """Let the library read a copy of its shipped data, and return where that lies."""
    root = folder / "data"
    large = shutil.ignore_patterns("lite-train.npz")
    shutil.copytree(paths.data_dir(), root, ignore=large)
    monkeypatch.setattr(paths, "_PACKAGE", folder)
    return root


def is_one_line(error):
    """Return whether a message is one line of a readable length."""
    return "\n" not in str(error) and len(str(error)) < 1000
