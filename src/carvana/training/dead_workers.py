"""What to tell of a loading process that died."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from carvana.errors import UserError


@contextmanager
def told_of_dead_workers() -> Iterator[None]:
    """Turn PyTorch's errors about a loading process that died into a UserError.

    From then on PyTorch does not watch its loading processes: the death of another one, perhaps of this program's own
    doing while it ends, would be raised wherever the program is, as a traceback beside the message.
    """
    try:
        yield
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        raise UserError(
            f"a process that loads images died ({error}). If it was killed for memory, set `workers` lower; then start"
            " again: the training continues from its last saved state"
        ) from error
