import hashlib
import os
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from carvana.data.imageset import ImageSet
from carvana.data.manifest import (
    COLUMNS,
    ImageRecord,
    Manifest,
    content_digest,
    read_manifest,
    require_unchanged,
    write_manifest,
)
from carvana.data.masks import write_mask
from carvana.errors import UserError


def record(view, **changes):
    name = f"03a857ce842d_{view:02d}.jpg"
    made = ImageRecord(
        name, "03a857ce842d", view, 123, 1918, 1280, f"{view:064x}", f"data, here/{name}", "m.gif", "b" * 64, 7
    )
    return replace(made, **changes)


@pytest.fixture
def manifest():
    return Manifest((record(1), record(2, mask="", mask_sha256="", area=None)))


def test_what_is_written_is_read_again(tmp_path, manifest):
    path = tmp_path / "new folder" / "train.csv"
    write_manifest(manifest, path)
    assert read_manifest(path) == manifest
    assert [entry.name for entry in path.parent.iterdir()] == ["train.csv"]


def test_columns_are_the_documented_ones(tmp_path, manifest):
    write_manifest(manifest, tmp_path / "train.csv")
    header = (tmp_path / "train.csv").read_text().splitlines()[0]
    assert header == "name,car,view,bytes,width,height,sha256,file,mask,mask_sha256,area"


def test_a_failed_write_leaves_the_old_manifest_and_nothing_else(tmp_path, manifest):
    path = tmp_path / "train.csv"
    write_manifest(manifest, path)
    unwritable = Manifest((record(1), record(2, file="\ud800")))
    with pytest.raises(UnicodeEncodeError):
        write_manifest(unwritable, path)
    assert read_manifest(path) == manifest
    assert list(tmp_path.iterdir()) == [path]


def test_images_must_be_sorted_and_named_once():
    with pytest.raises(ValueError, match="sorted"):
        Manifest((record(2), record(1)))
    with pytest.raises(ValueError, match="once"):
        Manifest((record(1), record(1)))


def test_names_and_cars(manifest):
    assert manifest.names == ("03a857ce842d_01.jpg", "03a857ce842d_02.jpg")
    assert manifest.cars == ("03a857ce842d",)
    assert len(manifest) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name,car\n",
        ",".join(COLUMNS) + "\na,b\n",
        ",".join(COLUMNS) + "\na_01.jpg,a,one,1,1,1,s,f,,,\n",
        ",".join(COLUMNS) + "\nb_01.jpg,b,1,1,1,1,s,f,,,\na_01.jpg,a,1,1,1,1,s,f,,,\n",
    ],
)
def test_refuses_another_table(tmp_path, text):
    path = tmp_path / "other.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=r"other\.csv is not a manifest"):
        read_manifest(path)


def test_a_missing_manifest_is_the_users_error(tmp_path):
    with pytest.raises(UserError, match="no such manifest"):
        read_manifest(tmp_path / "train.csv")


def test_content_digest_is_of_names_and_bytes_only(manifest):
    def with_first(**changes):
        return Manifest((record(1, **changes), *manifest.records[1:]))

    assert content_digest(manifest) == (
        hashlib.sha256(f"03a857ce842d_01.jpg {1:064x} {'b' * 64}\n03a857ce842d_02.jpg {2:064x} \n".encode()).hexdigest()
    )
    assert content_digest(with_first(file="elsewhere.png", mask="too.png", area=8)) == content_digest(manifest)
    assert content_digest(with_first(sha256="c" * 64)) != content_digest(manifest)
    assert content_digest(with_first(mask_sha256="c" * 64)) != content_digest(manifest)
    assert content_digest(with_first(name="03a857ce842d_00.jpg")) != content_digest(manifest)


def test_image_set_reads_pixels_by_name(tmp_path):
    image_HWC = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    mask_HW = image_HWC[..., 0] // 128
    Image.fromarray(image_HWC[..., ::-1]).save(tmp_path / "image.png")
    write_mask(tmp_path / "mask.png", mask_HW)
    images = ImageSet(
        Manifest(
            (
                record(1, file=str(tmp_path / "image.png"), mask=str(tmp_path / "mask.png")),
                record(2, mask=""),
            )
        )
    )
    assert np.array_equal(images.image("03a857ce842d_01.jpg"), image_HWC)
    assert np.array_equal(images.mask("03a857ce842d_01.jpg"), mask_HW)
    with pytest.raises(ValueError, match="test image"):
        images.mask("03a857ce842d_02.jpg")
    (tmp_path / "image.png").unlink()
    with pytest.raises(UserError, match=r"image\.png is not there any more: .* add `--forcerun intake`"):
        images.image("03a857ce842d_01.jpg")


def test_files_that_were_changed_since_are_told_where_their_digests_are_relied_on(tmp_path):
    image, mask, table = (tmp_path / name for name in ("image.jpg", "mask.gif", "train.csv"))
    for path in (image, mask, table):
        path.touch()
    os.utime(table, (2000, 2000))
    records = [record(1, file=str(image), mask=str(mask))]
    ahead = time.time() + 3600
    for changed, told in ((3000, r"mask\.gif was changed after .* `--forcerun intake`"), (1000, None), (ahead, None)):
        os.utime(image, (1000, 1000))
        os.utime(mask, (changed, changed))
        require_unchanged(records, table, "small")
        if told is None:
            require_unchanged(records, table, "full")
        else:
            with pytest.raises(UserError, match=told):
                require_unchanged(records, table, "full")
    image.unlink()
    with pytest.raises(UserError, match="is not there any more"):
        require_unchanged(records, table, "full")
