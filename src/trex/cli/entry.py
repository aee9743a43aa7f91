"""The outermost frame of every command: descriptors in order, one sentence for what nobody expected.

Owns:      the state of descriptors 0, 1 and 2, and the exit status of a failure outside a run.
Relies on: `application` for the commands.
Never:     lets a file that a command opens become standard output: if descriptor 1 was closed by
           the caller, the next open would get its number, and the outcome would be written into it.
"""

from __future__ import annotations

import gc
import os
import time

# Loading makes ten thousand objects and no garbage: looking for it every 700, as by default, costs 6 ms of a start.
gc.set_threshold(50_000)

# CPU time at the first line of ours: what the interpreter itself took to start.
INTERPRETER_MS = time.process_time() * 1000
STARTED = time.monotonic()


def main() -> None:
    """Run the command of `sys.argv`; does not return."""
    occupy_closed_descriptors()
    try:
        from trex.cli import application

        application.trex(prog_name="trex")
    except KeyboardInterrupt:  # before a command had its own answer to it
        _end("trex: interrupted", 7)
    except BrokenPipeError:
        _end("trex: standard output was closed", 6)
    except OSError as error:
        _end(f"trex: {error.strerror or error}", 6)
    except Exception as error:  # noqa: BLE001  # the outermost frame: a bug of ours gets one sentence too
        from trex.runner.outcome import fault

        _end(f"trex: {fault(error)}", 6)


def occupy_closed_descriptors() -> None:
    """Open `/dev/null` the wrong way round where 0, 1 or 2 are closed: using them fails, nothing else gets them."""
    for descriptor, mode in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_RDONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            # Lowest free number first: everything below is already taken, so this is `descriptor`.
            os.open("/dev/null", mode)


def _end(sentence: str, status: int) -> None:
    """Leave without flushing what cannot be written any more."""
    try:
        os.write(2, (sentence + "\n").encode())
    finally:
        os._exit(status)
