"""Tar archives for tests, well-formed and not."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import Any

DIRECTORY, LINK, HARD, FIFO, DEVICE = (
    tarfile.DIRTYPE,
    tarfile.SYMTYPE,
    tarfile.LNKTYPE,
    tarfile.FIFOTYPE,
    tarfile.CHRTYPE,
)


def member(name: str, data: bytes = b"", type: bytes = tarfile.REGTYPE, **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    """A member; `fields` are those of `tarfile.TarInfo`."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mode, info.mtime = type, len(data), 0o644, 1_000_000_000
    if type == DIRECTORY:
        info.mode = 0o755
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


def plain(*members: tuple[tarfile.TarInfo, bytes], format: int = tarfile.PAX_FORMAT, **how: Any) -> bytes:
    """An archive of these members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format, **how) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def packed(*members: tuple[tarfile.TarInfo, bytes], **how: Any) -> bytes:
    """The same, compressed."""
    return gzip.compress(plain(*members, **how), 1, mtime=0)
