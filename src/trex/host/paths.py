"""Names of files as text: one spelling for each, decided without asking the kernel.

Owns:      the normal form of a path, and how bytes that are not UTF-8 are written as text.
Relies on: nothing; every function here is pure.
Never:     makes a system call, resolves `..`, or changes what a name denotes.

A path is absolute. `//`, `/./` and a trailing `/` vanish; `..` is refused, because what it means
depends on the host. What is left is the *normal form*: the id of the object in every policy.

File names are bytes, and scripts and policies are text. A byte that is not part of valid UTF-8 is
written as one character of U+10FE80..U+10FEFF (private use; the byte is the low eight bits), and a
name that holds such a character itself is written byte by byte in the same way. So every name has
exactly one text, and the text leads back to the same bytes. (Python's own way, lone surrogates,
cannot be sent as UTF-8; a backslash would change names that are valid today.)
"""

from __future__ import annotations

PATH_MAX = 4096  # bytes, with the final NUL: the longest name that the kernel takes
NAME_MAX = 255  # bytes of one component

_ESCAPE = 0x10FE00
_FIRST = chr(_ESCAPE + 0x80)
_LAST = chr(_ESCAPE + 0xFF)


class PathRefused(ValueError):
    """This text is no name that can be opened.

    code: `"not_absolute"`, `"traversal"`, `"invalid"`, `"too_long"`, `"no_name"` or `"several"`.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code, text)
        self.code, self.text = code, text


class Path:
    """An absolute path in normal form.

    text:      the normal form, such as `/etc/hosts`; `/` for the root.
    parts:     its components.
    directory: whether it was written with a trailing slash or dot, and so must be a directory.
    """

    __slots__ = ("_parent", "directory", "parts", "text")

    def __init__(self, parts: tuple[str, ...], directory: bool = False) -> None:
        self.parts = parts
        self.text = "/" + "/".join(parts)
        self.directory = directory
        self._parent: Path | None = None

    @property
    def name(self) -> str:
        """The last component; the empty text for the root."""
        return self.parts[-1] if self.parts else ""

    @property
    def is_root(self) -> bool:
        return not self.parts

    @property
    def parent(self) -> Path:
        """The directory that holds the name; the root's parent is the root."""
        parent = self._parent
        if parent is None:
            parent = self._parent = Path(self.parts[:-1])
        return parent

    def child(self, name: str) -> Path:
        """The path of one more component, which must come from `component` or from the kernel."""
        child = Path((*self.parts, name))
        child._parent = self
        return child

    def encoded(self) -> bytes:
        """The bytes that the kernel takes."""
        return encode(self.text)

    def __eq__(self, other: object) -> bool:
        return type(other) is Path and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Path({self.text!r})"


def parse(text: str) -> Path:
    """The normal form of a path as a script wrote it."""
    if "\0" in text:
        raise PathRefused("invalid", text)
    if not text.startswith("/"):
        raise PathRefused("not_absolute", text)
    pieces = text.split("/")
    if ".." in pieces:
        raise PathRefused("traversal", text)
    parts = [canonical(piece) for piece in pieces if piece not in ("", ".")]
    path = Path(tuple(parts), directory=pieces[-1] in ("", "."))
    # An id of a megabyte would cost the policy engine seconds; the kernel takes no such name.
    if len(path.text) >= PATH_MAX or (not path.text.isascii() and len(path.encoded()) >= PATH_MAX):
        raise PathRefused("too_long", text)
    return path


def component(text: str) -> str:
    """One component of a path, as a script wrote it: a name inside a directory."""
    if "\0" in text:
        raise PathRefused("invalid", text)
    if "/" in text:
        raise PathRefused("several", text)
    if text in ("", "."):
        raise PathRefused("no_name", text)
    if text == "..":
        raise PathRefused("traversal", text)
    if len(text) >= PATH_MAX:
        raise PathRefused("too_long", text)
    return canonical(text)


def from_kernel(raw: bytes) -> Path:
    """The path that the kernel gave for a descriptor, which must be absolute."""
    if not raw.startswith(b"/"):
        raise PathRefused("not_absolute", decode(raw))
    return Path(tuple(decode(piece) for piece in raw.split(b"/") if piece))


def canonical(text: str) -> str:
    """The one text of the name that `text` denotes."""
    if text.isascii() or not any(_FIRST <= character <= _LAST for character in text):
        return text
    return decode(encode(text))


def encode(text: str) -> bytes:
    """The bytes of a name or path."""
    if text.isascii() or not any(_FIRST <= character <= _LAST for character in text):
        return text.encode()
    return b"".join(
        bytes((ord(character) & 0xFF,)) if _FIRST <= character <= _LAST else character.encode() for character in text
    )


def decode(raw: bytes) -> str:
    """The text of a name or path that the kernel gave."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        pass
    else:
        if text.isascii() or not any(_FIRST <= character <= _LAST for character in text):
            return text
    # "surrogateescape" marks exactly the bytes that are no part of valid UTF-8.
    pieces = []
    for character in raw.decode("utf-8", "surrogateescape"):
        if "\udc80" <= character <= "\udcff":
            pieces.append(chr(_ESCAPE + (ord(character) & 0xFF)))
        elif _FIRST <= character <= _LAST:
            pieces.extend(chr(_ESCAPE + byte) for byte in character.encode())
        else:
            pieces.append(character)
    return "".join(pieces)
