"""What is kept is what would be prepared anew; a disk that fails costs time only."""

import errno
import multiprocessing
import os
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from carvana.arrays import Image
from carvana.data.imageset import ImageSet
from carvana.geometry import FULL, SMALL
from carvana.recipe_files import load_recipe
from carvana.training.prepared import DiskCache, Preparing, cached_if_resized
from carvana.transforms.protocol import build_transforms

NAMES = ("a.jpg", "b.jpg", "c.jpg")
SIZE = (24, 32)


def drawn(name):
    """Something that can be packed, other for every name."""
    return np.random.default_rng(NAMES.index(name)).integers(0, 5, (*SIZE, 4), np.uint8)


@dataclass
class Counted:
    """Prepares, and counts how often."""

    make: Callable[[str], Image] = drawn
    asked: Counter[str] = field(default_factory=Counter)

    def of(self, name):
        self.asked[name] += 1
        return self.make(name)


@pytest.fixture
def source():
    return Counted()


@pytest.fixture
def kept(source, tmp_path):
    return DiskCache(source, NAMES, SIZE, tmp_path)


def test_each_is_prepared_once(source, kept):
    for name in (*NAMES, *reversed(NAMES), *NAMES):
        np.testing.assert_array_equal(kept.of(name), drawn(name))
    assert source.asked == dict.fromkeys(NAMES, 1)


def test_processes_share_what_is_kept(source, kept):
    context = multiprocessing.get_context("fork")
    for name in NAMES:
        other = context.Process(target=kept.of, args=(name,))
        other.start()
        other.join()
        assert other.exitcode == 0
    for name in NAMES:
        np.testing.assert_array_equal(kept.of(name), drawn(name))
    assert not source.asked


def test_nothing_is_left_in_the_folder(kept, tmp_path):
    for name in NAMES:
        kept.of(name)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_packed_is_not_kept_and_does_not_overwrite_its_neighbour(tmp_path):
    noise = {name: np.random.default_rng(5).integers(0, 256, (*SIZE, 4), np.uint8) for name in NAMES[:2]}
    source = Counted(lambda name: noise[name] if name in noise else drawn(name))
    kept = DiskCache(source, NAMES, SIZE, tmp_path)
    for name in ("c.jpg", "b.jpg", "a.jpg") * 2:
        np.testing.assert_array_equal(kept.of(name), noise[name] if name in noise else drawn(name))
    assert source.asked == {"a.jpg": 2, "b.jpg": 2, "c.jpg": 1}


def test_a_full_disk_costs_time_only(source, kept, monkeypatch):
    def no_space(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def half(descriptor, packed, offset, whole=os.pwrite):
        return whole(descriptor, packed[: len(packed) // 2], offset)

    for failing in (no_space, half):
        monkeypatch.setattr(os, "pwrite", failing)
        np.testing.assert_array_equal(kept.of("b.jpg"), drawn("b.jpg"))
    monkeypatch.undo()
    for _ in range(2):
        np.testing.assert_array_equal(kept.of("b.jpg"), drawn("b.jpg"))
    assert source.asked["b.jpg"] == 3


@pytest.mark.parametrize("damage", [b"\0" * 10, None], ids=["other bytes", "no bytes"])
def test_what_the_disk_gives_back_damaged_is_made_again(source, kept, damage):
    for name in NAMES:
        kept.of(name)
    if damage is None:
        kept._file.truncate(0)
    else:
        os.pwrite(kept._file.fileno(), damage, 0)
    for _ in range(2):
        np.testing.assert_array_equal(kept.of("a.jpg"), drawn("a.jpg"))
    assert source.asked["a.jpg"] == 2


@pytest.mark.parametrize("model", ["ternausnet", "linknet34_f04a_clahe"])
def test_images_that_are_not_resized_are_not_kept(manifest, tmp_path, model):
    source = Preparing(ImageSet(manifest), build_transforms(load_recipe(model), FULL))
    assert cached_if_resized(source, manifest.names, tmp_path) is source


@pytest.mark.parametrize("model", ["unet_scratch", "unet_vgg11"])
def test_images_that_are_resized_are_kept(manifest, tmp_path, model):
    source = Preparing(ImageSet(manifest), build_transforms(load_recipe(model), SMALL))
    kept = cached_if_resized(source, manifest.names, tmp_path)
    assert isinstance(kept, DiskCache)
    name = manifest.names[3]
    for _ in range(2):
        np.testing.assert_array_equal(kept.of(name), source.of(name))


def test_without_room_none_is_kept_and_it_is_said(manifest, tmp_path, monkeypatch, capsys):
    source = Preparing(ImageSet(manifest), build_transforms(load_recipe("unet_scratch"), SMALL))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 1000))
    assert cached_if_resized(source, manifest.names, tmp_path) is source
    said = capsys.readouterr().err
    assert str(tmp_path) in said and "GB free" in said and "takes longer" in said
