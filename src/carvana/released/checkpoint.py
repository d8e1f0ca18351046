"""PyTorch's two file formats, read without running anything: that of 2017, and the zip archive of today."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import IO, Any, Final

import torch
from torch import Tensor

from carvana.errors import UserError
from carvana.released.pickled import Storages, read_pickle
from carvana.released.refusal import RefusedError, refused

# The beginning of a file in the older format: a number that PyTorch chose for it, and the format's version.
_MAGIC: Final = 0x1950A86A20F9469CFC6C
_VERSION: Final = 1001


def read_checkpoint(path: Path) -> Any:
    """What a `.pt`, `.pth` or `.pth.tar` file of PyTorch's holds: containers, numbers, text, tensors on the CPU (views
    of what they share), and `ModuleRecord` for layers that were pickled whole.

    Raises:
        UserError: no such file, damaged, no file of PyTorch's, or it asks for anything else than the above.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; put the checkpoint there") from None
    # In memory, a false length yields no more bytes than there are.
    stream, storages = io.BytesIO(content), Storages(room=len(content))
    try:
        read = _read_archive if zipfile.is_zipfile(stream) else _read_sequence
        stream.seek(0)
        return read(stream, storages)
    except (ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, struct.error) as error:
        raise refused(path, error) from None


def _read_archive(stream: IO[bytes], storages: Storages) -> Any:
    with zipfile.ZipFile(stream) as archive:
        names = [name for name in archive.namelist() if name.endswith("/data.pkl") and name.count("/") == 1]
        if len(names) != 1:
            raise RefusedError("it is an archive, but not one of PyTorch's")
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise RefusedError("it is compressed, which PyTorch's archives are not, and could grow without end")
        folder = names[0].removesuffix("data.pkl")
        order = f"{folder}byteorder"
        if order in archive.namelist() and archive.read(order) != b"little":
            raise RefusedError("its numbers are big-endian")
        document = read_pickle(io.BytesIO(archive.read(names[0])), storages)
        for key, flat in storages.items():
            entry = archive.getinfo(f"{folder}data/{key}")
            if entry.file_size != flat.nbytes:
                raise RefusedError(f"storage {key} has {entry.file_size} bytes, expected {flat.nbytes}")
            with archive.open(entry) as numbers:
                _fill(flat, numbers)
    return document


def _read_sequence(stream: IO[bytes], storages: Storages) -> Any:
    if read_pickle(stream) != _MAGIC or read_pickle(stream) != _VERSION:
        raise RefusedError("it is no checkpoint of PyTorch's")
    machine = read_pickle(stream)
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise RefusedError("its numbers are big-endian")
    document = read_pickle(stream, storages)
    keys = read_pickle(stream)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise RefusedError("it has no list of storages")
    for key in keys:
        (numbers,) = struct.unpack("<q", stream.read(8))
        if key not in storages or storages[key].numel() != numbers:
            raise RefusedError(f"storage {key} is not the one that its tensors name")
        _fill(storages[key], stream)
    if missing := storages.keys() - set(keys):
        raise RefusedError(f"it lacks storage {min(missing)!r}")
    return document


def _fill(flat: Tensor, numbers: IO[bytes]) -> None:
    if numbers.readinto(flat.view(torch.uint8).numpy()) != flat.nbytes:  # type: ignore[attr-defined]
        raise RefusedError("it ends within a storage: it is not whole")
