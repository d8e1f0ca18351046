"""Files that want to run something, or to take all memory: they are refused, and nothing happens."""

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from torch import nn

from carvana.errors import UserError
from carvana.released.checkpoint import read_checkpoint
from carvana.released.pickled import RefusedError, read_pickle


def read(content: bytes):
    return read_pickle(io.BytesIO(content))


class Calls:
    """Pickles as a call of whatever it is given."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(1, 6))
def test_plain_content_comes_back(protocol):
    content = {
        "epoch": 3, "loss": [0.25, None, True, -1, 10**30], "names": ("a", "ü"), "set": {1}, "dict": OrderedDict(a=1),
    }  # fmt: skip
    assert read(pickle.dumps(content, protocol)) == content


def test_a_repeated_object_is_one_object():
    shared = [1]
    found = read(pickle.dumps([shared, shared], 2))
    assert found[0] is found[1]


def marker(tmp_path):
    return tmp_path / "it-ran"


def attacks(tmp_path):
    """Name -> pickle, and what the refusal must say."""
    import builtins
    import os
    import shutil
    import subprocess

    touch = f"touch {marker(tmp_path)}"
    code = f"open({str(marker(tmp_path))!r}, 'w')"
    state = (None, {"a": 1})
    return {
        "a program": (pickle.dumps(Calls(os.system, touch), 2), "posix.system"),
        "a program, inside": (pickle.dumps({"model": OrderedDict(a=Calls(os.system, touch))}, 2), "posix.system"),
        "a program, newest protocol": (pickle.dumps(Calls(os.system, touch), 5), "posix.system"),
        "a process": (pickle.dumps(Calls(subprocess.Popen, touch), 2), "Popen"),
        "code": (pickle.dumps(Calls(builtins.eval, code), 2), "eval"),
        "a deleted folder": (pickle.dumps(Calls(shutil.rmtree, str(tmp_path)), 2), "shutil.rmtree"),
        "an attribute": (pickle.dumps(Calls(getattr, "a", "upper"), 2), "getattr"),
        "torch's own loader": (b"ctorch\nload\n(X\x01\x00\x00\x00atR.", "torch.load"),
        "torch.hub": (b"ctorch.hub\nload\n(X\x01\x00\x00\x00atR.", "torch.hub.load"),
        "an object of Python 1": (b"(ios\nsystem\nX\x01\x00\x00\x00a.", "INST|os.system"),
        "an object by class": (b"(cos\nsystem\nX\x01\x00\x00\x00ao.", "os.system"),
        "a new object": (b"cos\nsystem\n)\x81.", "os.system"),
        "an extension": (b"\x82\x01.", "EXT1"),
        "a layer that is called": (b"ctorch.nn.modules.linear\nLinear\n(K\x01K\x01tR.", "modules.linear.Linear"),
        "a layer with arguments": (b"ctorch.nn.modules.linear\nLinear\n(K\x01t\x81.", "torch.nn.modules.linear.Linear"),
        "a changed function": (b"ctorch._utils\n_rebuild_tensor\n" + pickle.dumps(state, 2)[2:-1] + b"b.", "changes"),
        "another persistent thing": (b"(X\x04\x00\x00\x00fileX\x0b\x00\x00\x00/etc/passwdtQ.", "refers to 'file'"),
        "a module that is a program": (b"(X\x06\x00\x00\x00modulecos\nsystem\nNNtQ.", "os.system"),
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(attacks(Path("/nowhere"))))
def test_what_wants_to_run_something_is_refused(name, tmp_path):
    content, told = attacks(tmp_path)[name]
    with pytest.raises(RefusedError, match=told):
        read(content)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [b"", b".", b"garbage", b"\x80\x02}q\x00(", b"\x80\x02K\x01K\x02s.", b"h\x07.", b"\x80\x02(K\x01u.", b"]}]s."],
)
def test_what_is_no_whole_pickle_is_refused(content):
    with pytest.raises(RefusedError):
        read(content)


def as_archive(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)


def as_sequence(path, content, storages=()):
    heads = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})
    parts = [pickle.dumps(head, 2) for head in heads] + [content, pickle.dumps([key for key, _ in storages], 2)]
    parts += [struct.pack("<q", len(numbers) // 4) + numbers for _, numbers in storages]
    path.write_bytes(b"".join(parts))


@pytest.mark.parametrize("write", [as_archive, as_sequence])
@pytest.mark.parametrize("name", ["a program", "code"])
def test_no_file_format_runs_anything(write, name, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    content, told = attacks(tmp_path)[name]
    write(folder / "bad.pth", content)
    with pytest.raises(UserError, match=rf"bad\.pth is not read: it asks for .*{told}.*nothing of it is ever run"):
        read_checkpoint(folder / "bad.pth")
    assert not marker(tmp_path).exists()


def tensor(offset, size, stride, numbers=4):
    """The pickle of {"w": a tensor} in the older format, its storage not with it."""
    storage = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
    storage += b"J" + struct.pack("<i", numbers) + b"NtQ"
    shape = b"".join(b"(" + b"".join(b"J" + struct.pack("<i", n) for n in part) + b"t" for part in (size, stride))
    called = b"ctorch._utils\n_rebuild_tensor\n(" + storage + b"J" + struct.pack("<i", offset) + shape + b"tR"
    return b"\x80\x02}X\x01\x00\x00\x00w" + called + b"s."


FOUR = (("0", struct.pack("<4f", 1, 2, 3, 4)),)


def test_a_tensor_of_the_older_format_comes_back(tmp_path):
    as_sequence(tmp_path / "good.pth", tensor(1, (3,), (1,)), FOUR)
    assert torch.equal(read_checkpoint(tmp_path / "good.pth")["w"], torch.tensor([2.0, 3.0, 4.0]))
    as_sequence(tmp_path / "good.pth", tensor(0, (2, 2), (1, 2)), FOUR)
    assert torch.equal(read_checkpoint(tmp_path / "good.pth")["w"], torch.tensor([[1.0, 3.0], [2.0, 4.0]]))


@pytest.mark.parametrize(
    ("content", "storages", "told"),
    [
        (tensor(2, (3,), (1,)), FOUR, "past the end of its storage"),
        (tensor(0, (1 << 30, 1 << 30), (0, 0)), FOUR, "larger than its storage"),
        (tensor(0, (4,), (1,), numbers=1 << 30), FOUR, "not the one that its tensors name"),
        (tensor(0, (4,), (1,)), (("0", FOUR[0][1][:8]),), "not the one that its tensors name"),
        (tensor(-4, (4,), (1,)), FOUR, "without a size"),
        (tensor(0, (4,), (-1,)), FOUR, "without a size"),
        (tensor(0, (4,), (1,)), (), "'0'"),
    ],
)
def test_tensors_stay_within_their_storages(content, storages, told, tmp_path):
    as_sequence(tmp_path / "bad.pth", content, storages)
    with pytest.raises(UserError, match=told):
        read_checkpoint(tmp_path / "bad.pth")


def test_a_file_that_ends_too_early_is_refused(tmp_path):
    path = tmp_path / "short.pth"
    as_sequence(path, tensor(0, (4,), (1,)), FOUR)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(UserError, match="not whole"):
        read_checkpoint(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"<html>", pickle.dumps({"model": {}}, 2)])
def test_other_files_are_refused(content, tmp_path):
    (tmp_path / "page.pth").write_bytes(content)
    with pytest.raises(UserError, match=r"page\.pth is not read"):
        read_checkpoint(tmp_path / "page.pth")
    with pytest.raises(UserError, match="No such file"):
        read_checkpoint(tmp_path / "absent.pth")


@pytest.mark.parametrize("zipped", [True, False])
def test_it_reads_what_pytorch_reads(zipped, tmp_path):
    network = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2))
    content = {"state_dict": network.state_dict(), "epoch": 7, "best": 0.5, "view": torch.arange(12).view(3, 4).t()[1:]}
    content |= {"half": torch.rand(2).half(), "none": torch.empty(0, 3), "double": torch.rand(2).double()}
    torch.save(content, tmp_path / "file.pth", _use_new_zipfile_serialization=zipped)
    found, expected = read_checkpoint(tmp_path / "file.pth"), torch.load(tmp_path / "file.pth", weights_only=True)
    assert found.keys() == expected.keys()
    assert (found["epoch"], found["best"]) == (7, 0.5)
    for name in ("view", "half", "none", "double"):
        assert torch.equal(found[name], expected[name]) and found[name].dtype == expected[name].dtype
    assert all(torch.equal(found["state_dict"][name], tensor) for name, tensor in expected["state_dict"].items())
