"""Programs and core dumps as files: what their ELF headers tell.

Owns:      what `elf_info` gives.
Relies on: `trex.resources` to authorize; nothing here takes a path.
Never:     opens a file, decides a permission, or runs what it looks at.
"""

from typing import Annotated

from msgspec import Struct

from trex.catalogue.declare import CATALOGUE
from trex.resources.held import FileRead


@CATALOGUE.record(
    map=(
        ("execfn", "execfn"),
        ("platform", "platform"),
        ("interpreter", "interpreter"),
        ("is_64bit", "is_64bit"),
    )
)
class ElfInfo(Struct, frozen=True):
    """What the headers of an ELF file tell."""

    execfn: Annotated[str | None, "of a core dump: the path by which the program was started"]
    platform: Annotated[str | None, "of a core dump: the kind of processor, such as `x86_64`"]
    interpreter: Annotated[str | None, "of a program: the loader that starts it"]
    is_64bit: Annotated[bool, "whether it is for 64 bits, and not for 32"]


@CATALOGUE.operation("elf_info")
def elf_info(file: Annotated[FileRead, "the program, library or core dump, opened for reading"]) -> ElfInfo:
    """Give what the headers of an open ELF file tell.

    file.elf_info().interpreter
    """
    from trex.sdk.inspection.elf import Elf

    elf = Elf(file)
    execfn, platform = elf.started_as()
    return ElfInfo(execfn, platform, elf.interpreter(), elf.is_64bit)
