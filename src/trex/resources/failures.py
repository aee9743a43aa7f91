"""Failures of file operations, as scripts know them: `IoErrorKind` and the sentences.

Owns:  the kinds, their texts, and which kind an error of the kernel becomes.
Never: names a policy; an error of the kernel is never a denial, whatever its text says.
"""

from __future__ import annotations

import os
from errno import EINTR, ENAMETOOLONG
from typing import TYPE_CHECKING

from trex.errors import OperationError
from trex.host.changes import Replaced

if TYPE_CHECKING:
    from trex.host.paths import Path, PathRefused

FAMILY = "IoErrorKind"


def failure(kind: str, message: str) -> OperationError:
    """An error of this family."""
    return OperationError(FAMILY, kind, message)


def os_text(error: OSError) -> str:
    """The kernel's words for an error, with its number."""
    number = error.errno or EINTR
    return f"{os.strerror(number)} (os error {number})"


def from_os(error: OSError, kind: str = "IoError") -> OperationError:
    """What scripts see of an error of the kernel."""
    if type(error) is Replaced:
        return failure("FileError", f"File error: {error.strerror}")
    return failure(kind, os_text(error))


def from_any(error: OperationError | OSError) -> OperationError:
    """An error as scripts see it, whether it is one of theirs already or the kernel's."""
    return error if isinstance(error, OperationError) else from_os(error)


def from_path(error: PathRefused) -> OperationError:
    """What scripts see of a text that is no path."""
    text = error.text
    if error.code == "not_absolute":
        return failure("Other", f"Path is not absolute {text}")
    if error.code == "traversal":
        return failure("Other", f"Path traversal detected {text}")
    if error.code == "invalid":
        return failure("Other", f"Path contains invalid characters {text}")
    if error.code == "too_long":
        return failure("IoError", os_text(OSError(ENAMETOOLONG, "")))
    return failure("InvalidPath", "Invalid path: file path must contain only a filename")


def invalid_arguments(reason: str) -> OperationError:
    return failure("InvalidArguments", f"Invalid arguments: {reason}")


def not_a_file() -> OperationError:
    return failure("ValidationError", "Validation error: argument is not a file")


def is_a_symlink(path: Path) -> OperationError:
    text = f"file is a symbolic link but follow_symlinks is not enabled: {path.text}"
    return failure("FileError", f"File error: {text}")


def directory_not_opened(reason: str, path: Path) -> OperationError:
    return failure("DirectoryOpenError", f"Directory error: {reason}: {path.text}")


def not_a_directory(path: Path) -> OperationError:
    return directory_not_opened("Not a directory, enable follow_symlinks to open the target directory", path)


def directory_failed(reason: str, path: Path) -> OperationError:
    return failure("DirectoryError", f"Directory error: {reason}: {path.text}")


def file_failed(reason: str, path: Path) -> OperationError:
    return failure("FileError", f"File error: {reason}: {path.text}")


def not_found(path: Path) -> OperationError:
    return failure("NotFound", f"No such file or directory found: {path.text}")


def not_empty(path: Path) -> OperationError:
    text = (
        "Directory not empty: A path led to a non-empty directory location. "
        f"To include contents of this directory, use the recursive flag: {path.text}"
    )
    return failure("DirectoryNotEmpty", text)


def not_opened_for(action: str, path: Path) -> OperationError:
    text = f"Attempted to {action} a file without opening it with the {action} option.: {path.text}"
    return failure("InvalidFileMode", f"Invalid file mode: {text}")


def not_utf8() -> OperationError:
    return failure("IoError", "stream did not contain valid UTF-8")


def moved(path: Path) -> OperationError:
    return failure("FileError", f"File error: it was moved after it was authorized: {path.text}")


def unsupported(reason: str) -> OperationError:
    return failure("UnsupportedOperationError", f"Unsupported Operation error: {reason}")


def invalid_path(reason: str) -> OperationError:
    return failure("InvalidPath", f"Invalid path: {reason}")


def unknown_account(reason: str, name: str) -> OperationError:
    return failure("IdentityResolutionError", f"Identity resolution error: No {reason}: {name}")


def may_not_chown() -> OperationError:
    text = "CAP_CHOWN capability is required when changing ownership to a different user."
    return failure("IoError", f"Failed to change ownership. {text}")
