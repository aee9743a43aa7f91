"""The kinds of failure of this domain, as the constants that scripts compare with.

Owns:  the module `IoErrorKind`.
Never: makes a failure; `trex.resources.failures` has their sentences.
"""

from trex.catalogue.declare import CATALOGUE

IO_ERROR_KIND = CATALOGUE.enumeration(
    "IoErrorKind",
    "Why an operation on files failed: the `kind` of what a script catches.",
    {
        kind: (kind, doc)
        for kind, doc in {
            "InvalidPath": "a name with several components, or none",
            "InvalidArguments": "arguments that contradict each other or say too little",
            "InvalidFileMode": "the file was not opened for this",
            "ValidationError": "not a file, a pattern that does not parse, or a number out of range",
            "DirectoryOpenError": "a directory that could not be opened or made",
            "DirectoryError": "a directory that could not be removed or moved",
            "FileError": "a symbolic link that was not to be followed, a file that was replaced or moved meanwhile",
            "DestinationFileNotEmptyError": "the destination of a copy has content already",
            "NotFound": "what was to be removed is gone",
            "DirectoryNotEmpty": "a directory with entries, removed without `recursive`",
            "PermissionDenied": "the policy does not permit it",
            "AuthorizationError": "the policy could not be asked",
            "IdentityResolutionError": "a user or group without a name or number",
            "UnsupportedOperationError": "this host or file system cannot do it",
            "FileContentTooLargeError": "content beyond a bound",
            "FileCopyError": "a copy that failed",
            "FileReadError": "a source that could not be read",
            "EntryTypeMismatchError": "an entry that is of another type, or has become one",
            "IoError": "the kernel's own error",
            "TryFromIntError": "a number out of range",
            "RustixError": "the kernel's own error, where symbolic links are followed or attributes set",
            "Utf8Error": "text that is not UTF-8",
            "CallbackError": "a script's function that failed inside an operation",
            "ProcessNamespaceFatalError": "a namespace that could not be entered",
            "ProcessTerminated": "a program that was ended: it took too long, or wrote too much",
            "Other": "anything else",
        }.items()
    },
)
