"""The first lines of a worker's interpreter: say where packages are found, then go to `main`.

Run as a file, by `python -I -S boot.py NAME=DIRECTORY... -- ARGUMENT...`.

Owns:      what this interpreter can import beside the standard library: the named packages only.
Relies on: nothing; it is the one module that cannot import its own package.
Never:     adds a directory to `sys.path`: the directory where `msgspec` lies holds everything else
           that is installed, and what cannot be imported cannot be abused.
"""

import gc
import sys
import time

gc.disable()  # until `main` has loaded everything: nothing of it becomes garbage, and looking costs a tenth
STARTED = time.perf_counter()


class NamedPackages:
    """A finder that knows where a few packages are and finds no other."""

    def __init__(self, places: list[str]) -> None:
        self.places = dict(place.split("=", 1) for place in places)
        self.find_in = sys.meta_path[-1].find_spec  # of the finder for paths, the last of the three

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        """Called for what the standard library does not have."""
        directory = self.places.get(name)
        return self.find_in(name, [directory]) if directory is not None else None


if __name__ == "__main__":
    separator = sys.argv.index("--")
    sys.meta_path.append(NamedPackages(sys.argv[1:separator]))  # type: ignore[arg-type]  # typeshed wants a ModuleSpec

    from trex.worker.main import main

    main(sys.argv[separator + 1 :], STARTED)
