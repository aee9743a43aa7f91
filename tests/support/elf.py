"""ELF files for tests, of either width and byte order, well-formed and not."""

from __future__ import annotations

import struct

LOAD, INTERP, NOTE = 1, 3, 4
PLATFORM, EXECFN, ENTRY = 15, 31, 9


def align(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


class Maker:
    """Writes ELF files of either width and byte order."""

    def __init__(self, bits: int = 64, order: str = "<") -> None:
        self.bits, self.order = bits, order
        self.word = struct.Struct(order + ("QQ" if bits == 64 else "II"))
        self.header_size, self.segment_size = (64, 56) if bits == 64 else (52, 32)

    def segment(self, kind: int, offset: int, address: int, in_file: int, in_memory: int | None = None) -> bytes:
        size = in_file if in_memory is None else in_memory
        if self.bits == 64:
            return struct.pack(self.order + "IIQQQQQQ", kind, 4, offset, address, 0, in_file, size, 1)
        return struct.pack(self.order + "IIIIIIII", kind, offset, address, 0, in_file, size, 4, 1)

    def file(
        self, contents: list[tuple[int, int, bytes]], count: int | None = None, sections: int = 0, more: bytes = b""
    ) -> bytes:
        """Segments as (kind, address, content), one behind the other; `more` are headers of further ones."""
        start = self.header_size + self.segment_size * len(contents) + len(more)
        headers, body = b"", b""
        for kind, address, content in contents:
            headers += self.segment(kind, start + len(body), address, len(content))
            body += content
        ident = b"\x7fELF" + bytes((self.bits // 32, 1 if self.order == "<" else 2, 1)) + bytes(9)
        count = (len(headers) + len(more)) // self.segment_size if count is None else count
        layout = "HHIQQQIHHHHHH" if self.bits == 64 else "HHIIIIIHHHHHH"
        fields = (
            2, 62, 1, 0, self.header_size, sections, 0, self.header_size, self.segment_size, count, 64, bool(sections), 0
        )  # fmt: skip
        return ident + struct.pack(self.order + layout, *fields) + headers + more + body

    def note(self, kind: int, content: bytes, name: bytes = b"CORE\0") -> bytes:
        return struct.pack(self.order + "III", len(name), len(content), kind) + align(name) + align(content)

    def vector(self, *entries: tuple[int, int]) -> bytes:
        return b"".join(self.word.pack(*entry) for entry in (*entries, (0, 0)))

    def core(self, execfn: int = 0x1000, platform: int = 0x1010) -> bytes:
        notes = self.note(1, bytes(300)) + self.note(6, self.vector((ENTRY, 5), (PLATFORM, platform), (EXECFN, execfn)))
        memory = b"/usr/bin/tool\0".ljust(16, b"\0") + b"x86_64\0" + b"rest"
        return self.file([(NOTE, 0, notes), (LOAD, 0x1000, memory)])
