"""PyTorch's two file formats, read without running anything: that of 2017, and the zip archive of today."""

from __future__ import annotations

import math
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Final

import torch
from torch import Tensor

from carvana.errors import UserError
from carvana.released.pickled import ModuleRecord, RefusedError, Storage, TensorRecord, read_pickle, refused

# The beginning of a file in the older format: a number that PyTorch chose for it, and the format's version.
_MAGIC: Final = 0x1950A86A20F9469CFC6C
_VERSION: Final = 1001

_DTYPES: Final = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}

Bytes = Callable[[Storage], bytes]


def read_checkpoint(path: Path) -> Any:
    """What a `.pt`, `.pth` or `.pth.tar` file of PyTorch's holds: containers, numbers, text, tensors on the CPU, and
    `ModuleRecord` for layers that were pickled whole.

    Raises:
        UserError: no such file, damaged, no file of PyTorch's, or it asks for anything else than the above.
    """
    try:
        with path.open("rb") as stream:
            if zipfile.is_zipfile(stream):
                return _read_archive(stream)
            stream.seek(0)
            return _read_sequence(stream, path.stat().st_size)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; put the checkpoint there") from None
    except (RefusedError, zipfile.BadZipFile, KeyError, RuntimeError, struct.error) as error:
        raise refused(path, error) from None


def _read_archive(stream: IO[bytes]) -> Any:
    with zipfile.ZipFile(stream) as archive:
        names = [name for name in archive.namelist() if name.endswith("/data.pkl") and name.count("/") == 1]
        if len(names) != 1:
            raise RefusedError("it is an archive, but not one of PyTorch's")
        folder = names[0].removesuffix("data.pkl")
        order = f"{folder}byteorder"
        if order in archive.namelist() and archive.read(order) != b"little":
            raise RefusedError("its numbers are big-endian")
        with archive.open(names[0]) as pickled:
            document = read_pickle(pickled)

        def content(storage: Storage) -> bytes:
            entry = archive.getinfo(f"{folder}data/{storage.key}")
            if entry.file_size != _bytes_of(storage):
                raise RefusedError(f"storage {storage.key} has {entry.file_size} bytes, expected {_bytes_of(storage)}")
            return archive.read(entry)

        return _with_tensors(document, content, {}, {})


def _read_sequence(stream: IO[bytes], size: int) -> Any:
    if read_pickle(stream) != _MAGIC or read_pickle(stream) != _VERSION:
        raise RefusedError("it is no checkpoint of PyTorch's")
    machine = read_pickle(stream)
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise RefusedError("its numbers are big-endian")
    document = read_pickle(stream)
    keys = read_pickle(stream)
    if not isinstance(keys, list):
        raise RefusedError("it has no list of storages")
    places: dict[str, tuple[int, int]] = {}
    storages = {storage.key: storage for storage in _storages(document)}
    for key in keys:
        (numbers,) = struct.unpack("<q", stream.read(8))
        storage = storages.get(str(key))
        if storage is None or storage.numbers != numbers:
            raise RefusedError(f"storage {key} is not the one that its tensors name")
        places[str(key)] = (stream.tell(), _bytes_of(storage))
        if stream.tell() + _bytes_of(storage) > size:
            raise RefusedError("it ends within a storage: it is not whole")
        stream.seek(_bytes_of(storage), 1)

    def content(storage: Storage) -> bytes:
        place, length = places[storage.key]
        stream.seek(place)
        return stream.read(length)

    return _with_tensors(document, content, {}, {})


def _bytes_of(storage: Storage) -> int:
    if storage.kind not in _DTYPES:
        raise RefusedError(f"it has a storage of no known kind ({storage.kind})")
    return storage.numbers * _DTYPES[storage.kind].itemsize


def _storages(document: Any) -> list[Storage]:
    """Every storage of the document; one that several tensors share is listed for each."""
    found, seen, waiting = [], set[int](), [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, TensorRecord):
            found.append(node.storage)
        elif id(node) not in seen:
            seen.add(id(node))
            waiting.extend(_children(node))
    return found


def _children(node: Any) -> list[Any]:
    if isinstance(node, ModuleRecord):
        return list(node.attributes.values())
    if isinstance(node, dict):
        return list(node.values())
    return list(node) if isinstance(node, list | tuple) else []


def _with_tensors(node: Any, content: Bytes, tensors: dict[TensorRecord, Tensor], done: dict[int, Any]) -> Any:
    """The document with tensors in the place of their records; equal records become one tensor."""
    if isinstance(node, TensorRecord):
        if node not in tensors:
            tensors[node] = _tensor(node, content(node.storage))
        return tensors[node]
    if id(node) in done:
        return done[id(node)]
    if isinstance(node, ModuleRecord):
        built = done[id(node)] = ModuleRecord(node.kind)
        built.attributes.update(
            (name, _with_tensors(value, content, tensors, done)) for name, value in node.attributes.items()
        )
        return built
    if isinstance(node, dict):
        own: dict[Any, Any] = {}
        done[id(node)] = own
        own.update((key, _with_tensors(value, content, tensors, done)) for key, value in node.items())
        return own
    if isinstance(node, list):
        items: list[Any] = []
        done[id(node)] = items
        items.extend(_with_tensors(value, content, tensors, done) for value in node)
        return items
    if isinstance(node, tuple):
        return tuple(_with_tensors(value, content, tensors, done) for value in node)
    return node


def _tensor(record: TensorRecord, content: bytes) -> Tensor:
    """A tensor of its own, contiguous."""
    dtype = _DTYPES[record.storage.kind]
    last = record.offset + sum((length - 1) * step for length, step in zip(record.size, record.stride, strict=True))
    if math.prod(record.size) == 0:
        return torch.empty(record.size, dtype=dtype)
    if last >= record.storage.numbers:
        raise RefusedError("it has a tensor that goes past the end of its storage")
    # Whoever makes a stride of 0 can make a tensor of any size out of one number.
    if math.prod(record.size) > record.storage.numbers:
        raise RefusedError("it has a tensor that is larger than its storage")
    flat = torch.frombuffer(bytearray(content), dtype=dtype)
    return flat.as_strided(record.size, record.stride, record.offset).clone(memory_format=torch.contiguous_format)


def module_state(module: ModuleRecord) -> Mapping[str, Tensor]:
    """The state dict of layers that were pickled whole, by the names that PyTorch gives.

    Raises:
        RefusedError: they are not built as PyTorch's layers are.
    """
    state: dict[str, Tensor] = {}
    _collect(module, "", state, 0)
    return state


_DEEPEST: Final = 50


def _collect(module: ModuleRecord, prefix: str, state: dict[str, Tensor], depth: int) -> None:
    if depth > _DEEPEST:
        raise RefusedError("its layers lie in one another without end")
    for kind in ("_parameters", "_buffers"):
        for name, tensor in _named(module, kind):
            if tensor is not None:
                if not isinstance(tensor, Tensor):
                    raise RefusedError(f"{prefix}{name} is no tensor")
                state[prefix + name] = tensor
    for name, child in _named(module, "_modules"):
        if child is not None:
            if not isinstance(child, ModuleRecord):
                raise RefusedError(f"{prefix}{name} is no layer")
            _collect(child, f"{prefix}{name}.", state, depth + 1)


def _named(module: ModuleRecord, kind: str) -> list[tuple[str, Any]]:
    found = module.attributes.get(kind, {})
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise RefusedError(f"its {kind} are no dict")
    return list(found.items())
