"""The bytes of a pickle, looked through before Python's reader has them: some operations harm it as it reads them."""

from __future__ import annotations

import io
import itertools
import pickletools
from typing import IO, Final

from carvana.released.refusal import RefusedError

# Objects take memory beside the file's, and tuples in one another, as a key, are hashed by recursion in C, which ends
# the process when they are 150,000. The largest checkpoint that we made, of LinkNet34 as a module, as a state dict and
# with Adam's state, has 55,000 operations, 4,500 of them tuples.
_MOST_OPERATIONS: Final = 500_000
_MOST_TUPLES: Final = 30_000
# One byte for the operation, eight for the length.
_FRAME_BYTES: Final = 9


def next_pickle(stream: IO[bytes]) -> bytes:
    """The bytes of the next pickle, looked through for what harms Python's reader before it asks about any name.

    Args:
        stream: in memory; left behind the pickle's end.

    Returns:
        The pickle without its frames.

    Raises:
        RefusedError: it has such, or is no whole pickle.
    """
    start = stream.tell()
    try:
        operations = list(itertools.islice(pickletools.genops(stream), _MOST_OPERATIONS + 1))
    except ValueError as error:
        raise RefusedError(f"it is no whole pickle ({error})") from None
    end = stream.tell()
    tuples = sum(opcode.name.startswith("TUPLE") for opcode, _, _ in operations)
    if len(operations) > _MOST_OPERATIONS or tuples > _MOST_TUPLES:
        raise RefusedError("it is made of more objects than any checkpoint")
    content = bytearray()
    stream.seek(start)
    for opcode, argument, place in operations:
        # The unpickler caches extensions, and asks `find_class` only once.
        if opcode.name.startswith("EXT"):
            raise RefusedError(f"it uses the pickle operation {opcode.name}")
        # The reader's memory is an array: counting to 4,000,000,000 makes it take 64 GB.
        if opcode.name.endswith("PUT") and (argument or 0) > _MOST_OPERATIONS:
            raise RefusedError("it counts objects that it does not have")
        # Frames say how far to read ahead. Where one ends within an operation, the reader forgets the begun part and
        # sees other operations than those looked through here; so they are left out.
        if opcode.name == "FRAME":
            content += stream.read((place or 0) - stream.tell())
            stream.seek(_FRAME_BYTES, io.SEEK_CUR)
    return bytes(content + stream.read(end - stream.tell()))
