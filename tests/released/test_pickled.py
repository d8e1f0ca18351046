"""Files that want to run something, or to take all memory: they are refused, and nothing happens."""

import copyreg
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
from carvana.released.module_state import module_state
from carvana.released.pickled import ModuleRecord, Storages, read_pickle
from carvana.released.refusal import RefusedError


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


def bare(content):
    """What builds the content in a pickle."""
    return pickle.dumps(content, 2)[2:-1]


def rebuilt(offset, size, stride, numbers=4, kind="Float", key="0"):
    """What builds a tensor in a pickle of the older format."""
    storage = b"(" + bare("storage") + f"ctorch\n{kind}Storage\n".encode() + bare(key) + bare("cpu") + bare(numbers)
    shape = b"".join(b"(" + b"".join(map(bare, part)) + b"t" for part in (size, stride))
    return b"ctorch._utils\n_rebuild_tensor\n(" + storage + b"NtQ" + bare(offset) + shape + b"tR"


def tensor(*arguments, **options):
    """The pickle of {"w": a tensor} in the older format, its storage not with it."""
    return b"\x80\x02}X\x01\x00\x00\x00w" + rebuilt(*arguments, **options) + b"s."


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
        (tensor(0, (4,), (1, 1)), FOUR, "without a size"),
        (tensor(0, (1, 1 << 80), (1, 1)), FOUR, "without a size"),
        # Each would fit into the file, and together they do not.
        (b"(" + b"".join(rebuilt(0, (1,), (1,), 40, key=str(n)) for n in range(9)) + b"t.", FOUR, "exceeds the file"),
        (rebuilt(0, (4,), (1,)) + b"0" + rebuilt(0, (4,), (1,), kind="Int") + b".", FOUR, "do not agree"),
        (tensor(0, (4,), (1,)), ((0, FOUR[0][1]),), "no list of storages"),
        (tensor(0, (4,), (1,)), (), "'0'"),
    ],
)
def test_tensors_stay_within_their_storages(content, storages, told, tmp_path):
    as_sequence(tmp_path / "bad.pth", content, storages)
    with pytest.raises(UserError, match=told):
        read_checkpoint(tmp_path / "bad.pth")


def test_tensors_of_one_storage_are_views_of_it(tmp_path):
    content = b"(" + rebuilt(0, (4,), (1,)) + rebuilt(2, (2,), (1,)) + b"t."
    as_sequence(tmp_path / "good.pth", content, FOUR)
    whole, part = read_checkpoint(tmp_path / "good.pth")
    part[0] = 7
    assert whole.tolist() == [1, 2, 7, 4]


def test_a_file_that_ends_too_early_is_refused(tmp_path):
    path = tmp_path / "short.pth"
    as_sequence(path, tensor(0, (4,), (1,)), FOUR)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(UserError, match="not whole"):
        read_checkpoint(path)


def test_a_damaged_archive_is_refused(tmp_path):
    torch.save({"w": torch.zeros(4)}, tmp_path / "good.pth")
    content = (tmp_path / "good.pth").read_bytes()
    # The list of its entries at its end tells where they begin, and so before the file does.
    for damaged in (content[3:], content.replace(b"good/data.pkl", b"good/\xff\xfeta.pkl")):
        (tmp_path / "bad.pth").write_bytes(damaged)
        with pytest.raises(UserError, match=r"bad\.pth is not read"):
            read_checkpoint(tmp_path / "bad.pth")


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


@pytest.mark.parametrize(
    "operation", [b"K\x00K\x09s", b"(K\x00K\x09u", b"K\x09a", b"(K\x09e", b"(K\x09\x90", b")R", b")\x81", b"(K\x09o"]
)
def test_nothing_is_computed_with_a_tensor(operation):
    """What fills dicts, lists and sets, and what calls, would reach a tensor's own methods."""
    storages = Storages(room=16)
    with pytest.raises(RefusedError):
        read_pickle(io.BytesIO(rebuilt(0, (4,), (1,)) + operation + b"."), storages)
    assert storages["0"].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("state", [True, (True, False, {}), (None, {"data": 1}), {"data": 1}])
def test_a_tensors_state_changes_nothing(state):
    found = read_pickle(io.BytesIO(rebuilt(0, (4,), (1,)) + bare(state) + b"b."), Storages(room=16))
    assert type(found) is torch.Tensor and found.tolist() == [0, 0, 0, 0] and not found.requires_grad
    found[0] = 1


NAMED = (
    "torch.nn.modules.linear Linear", "numpy dtype", "torch FloatStorage", "collections OrderedDict", "builtins set",
    "torch Size", "torch.nn.parameter Parameter", "torch._utils _rebuild_tensor_v2",
)  # fmt: skip


@pytest.mark.parametrize("state", [(None, {"__call__": 1}), {"__call__": 1}])
@pytest.mark.parametrize("name", NAMED)
def test_what_stands_for_a_name_is_not_changed(name, state):
    """The next file would meet it."""
    with pytest.raises(RefusedError):
        read("c{}\n{}\n".format(*name.split()).encode() + bare(state) + b"b.")


@pytest.mark.parametrize("made", ["(c{}\n{}\no", "c{}\n{}\n)\x81", "(i{}\n{}\n"])
@pytest.mark.parametrize("state", [(None, {"attributes": 1}), {"attributes": 1}])
def test_a_layers_state_is_its_attributes_and_no_more(made, state):
    content = made.format("torch.nn.modules.linear", "Linear").encode("latin1") + bare(state) + b"b."
    if isinstance(state, dict):
        assert read(content).attributes == state
    else:
        with pytest.raises(RefusedError, match="uses a tuple as a dict"):
            read(content)


@pytest.mark.parametrize(
    ("called", "arguments"),
    [
        ("builtins set", rebuilt(0, (4,), (1,))),
        ("torch Size", rebuilt(0, (4,), (1,))),
        ("collections OrderedDict", rebuilt(0, (4,), (1,))),
        ("collections OrderedDict", b"]" + rebuilt(0, (2,), (1,)) + b"a"),
    ],
)
def test_no_tensor_is_taken_apart_into_numbers(called, arguments):
    content = "c{}\n{}\n".format(*called.split()).encode() + arguments + b"\x85R."
    with pytest.raises(RefusedError, match=r"_Sealed as a|not made of pairs"):
        read_pickle(io.BytesIO(content), Storages(room=16))


@pytest.fixture
def extension():
    """The code of an extension that Python's reader has met, and does not ask about again."""
    copyreg.add_extension("os", "system", 0x83)
    assert pickle.loads(b"\x82\x83.") is not None
    yield 0x83
    copyreg.remove_extension("os", "system", 0x83)
    copyreg.clear_extension_cache()


def test_extensions_that_python_remembers_are_refused(extension):
    with pytest.raises(RefusedError, match="EXT1"):
        read(b"\x82\x83.")


def test_no_frame_hides_operations(extension):
    """Where a frame ends within an operation, Python's reader skips the rest of the frame, and takes text for more."""
    inside = b"\x00\x00\x82\x83...."
    content = b"\x80\x04\x95" + struct.pack("<Q", 3) + b"B" + struct.pack("<I", len(inside)) + inside + b"."
    assert callable(pickle.Unpickler(io.BytesIO(content)).load())
    assert read(content) == inside


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"]r\xff\xff\xff\xff.", "counts objects"),
        (b"]p4294967295\n.", "counts objects"),
        (b"\x80\x05\x8e" + struct.pack("<Q", 1 << 60) + b".", "no whole pickle"),
        (b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b".", "no whole pickle"),
        (b"\x8b\xff\xff\xff\x7f.", "no whole pickle"),
        (b"]" * 600_000 + b".", "more objects than any"),
        # As a key, a tuple of tuples is hashed by recursion.
        (b"})" + b"\x85" * 300_000 + b"Ns.", "more objects than any"),
        # Printed, it would be 2 to the power of 60 brackets.
        (b"))\x86" + b"2\x86" * 60 + b"\x85Q.", "uses a tuple as a str"),
        (rebuilt(0, (4,), (1,)).replace(bare("0"), b"))\x86" + b"2\x86" * 60) + b".", "uses a tuple as a str"),
    ],
)
def test_memory_is_not_taken_for_what_the_file_has_not(content, told):
    with pytest.raises(RefusedError, match=told):
        read(content)


def test_one_object_does_not_become_many():
    """A small file could otherwise take its size squared."""
    sets = read(b"(" + bare(list(range(100))) + b"q\xff0" + b"cbuiltins\nset\nh\xff\x85R" * 50 + b"t.")
    assert len(sets) == 50 and sum(map(len, sets)) == 100
    one, other = read(b"}q\x000(" + b"ctorch.nn.modules.linear\nLinear\n)\x81h\x00b" * 2 + b"t.")
    assert one.attributes is other.attributes


def test_compressed_archives_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps("a" * (1 << 20), 2))
    with pytest.raises(UserError, match="compressed"):
        read_checkpoint(tmp_path / "bomb.pth")


def layer(**attributes):
    record = ModuleRecord()
    record.attributes = attributes
    return record


def test_layers_in_one_another_have_an_end():
    around = layer()
    around.attributes = {"_modules": {"a": around}}
    doubled = layer(_parameters={"w": torch.zeros(1)})
    for _ in range(40):
        doubled = layer(_modules={"a": doubled, "b": doubled})
    for network in (around, doubled, layer(_parameters={"a" * 2000: torch.zeros(1)})):
        with pytest.raises(RefusedError, match="without end"):
            module_state(network)


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"_modules": {"a": layer(_parameters={"w": 1})}}, "a.w is no tensor"),
        ({"_buffers": {"w": layer()}}, "w is no tensor"),
        ({"_modules": {"a": torch.zeros(1)}}, "a is no layer"),
        ({"_modules": {1: layer()}}, "_modules are no dict"),
        ({"_parameters": []}, "_parameters are no dict"),
    ],
)
def test_what_is_not_built_as_layers_are_is_refused(attributes, told):
    with pytest.raises(RefusedError, match=told):
        module_state(layer(**attributes))
