import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from carvana.data.images import read_image, reduce_image
from carvana.data.imageset import ImageSet
from carvana.data.intake import take_in
from carvana.data.listing import Counts
from carvana.data.manifest import content_digest, read_manifest
from carvana.data.masks import read_mask, reduce_mask
from carvana.errors import UserError
from carvana.geometry import FULL, SMALL
from tests.data.conftest import TRAIN_CARS, draw_kaggle_folder, write_gif_mask, write_jpeg
from tests.programs import SCRIPTS

SCRIPT = SCRIPTS / "intake.py"
FIRST = f"{TRAIN_CARS[0]}_01"


def take(folder, tmp_path, split="train", geometry=SMALL, **options):
    return take_in(folder, split, geometry, tmp_path / "work", quiet=True, **options)


def problems_of(folder, tmp_path, split="train", **options):
    """The problems that the error lists, with their total checked and nothing left behind."""
    with pytest.raises(UserError) as caught:
        take(folder, tmp_path, split, **options)
    first, *rest = str(caught.value).splitlines()
    listed = [line.strip() for line in rest if line.startswith("  ")]
    found = re.search(r"(\d+) problems? with the data", first)
    assert found is not None
    total = int(found[1])
    if total > 10:
        assert listed.pop() == f"... and {total - 10} more"
    assert len(listed) == min(total, 10)
    assert not [path for path in (tmp_path / "work").rglob("*") if path.is_file()]
    return listed


def test_images_of_the_geometrys_size_are_listed_where_they_are(pristine_folder, tmp_path):
    before = sorted(pristine_folder.rglob("*"))
    manifest = take(pristine_folder, tmp_path, expected=Counts(2, 32), workers=2)
    assert len(manifest) == 32
    assert manifest.cars == TRAIN_CARS
    first = manifest.records[0]
    assert first.file == str(pristine_folder / "train_hq" / f"{FIRST}.jpg")
    assert first.mask == str(pristine_folder / "train_masks" / f"{FIRST}_mask.gif")
    assert (first.width, first.height) == (94, 64)
    assert first.bytes == Path(first.file).stat().st_size
    assert first.area == read_mask(Path(first.mask)).sum() > 0
    assert sorted(pristine_folder.rglob("*")) == before


def test_test_images_have_no_masks_and_are_in_order(pristine_folder, tmp_path):
    manifest = take(pristine_folder, tmp_path, "test")
    assert list(manifest.names) == sorted(manifest.names)
    assert len(manifest) == 16
    assert {(record.mask, record.mask_sha256, record.area) for record in manifest} == {("", "", None)}


def test_packed_and_unpacked_data_give_equal_manifests(pristine_folder, tmp_path):
    packed = tmp_path / "packed"
    packed.mkdir()
    for name in ("train_hq", "train_masks", "test_hq"):
        shutil.make_archive(str(packed / name), "zip", pristine_folder, name)
    with zipfile.ZipFile(packed / "sample_submission.csv.zip", "w") as archive:
        archive.write(pristine_folder / "sample_submission.csv", "sample_submission.csv")
    for split in ("train", "test"):
        plain, unpacked = take(pristine_folder, tmp_path, split), take(packed, tmp_path, split)
        assert content_digest(plain) == content_digest(unpacked)
        assert plain.records[0].file != unpacked.records[0].file
        assert np.array_equal(ImageSet(plain).image(plain.names[3]), ImageSet(unpacked).image(plain.names[3]))


def test_what_was_unpacked_and_then_damaged_can_be_unpacked_anew(pristine_folder, tmp_path):
    packed = tmp_path / "packed"
    packed.mkdir()
    for name in ("train_hq", "train_masks"):
        shutil.make_archive(str(packed / name), "zip", pristine_folder, name)
    manifest = take(packed, tmp_path)
    Path(manifest.records[0].file).unlink()
    with pytest.raises(UserError, match=r"If the zips are whole: delete .*train_hq.* and .*train_masks") as caught:
        take(packed, tmp_path)
    for folder in re.findall(r"(?:delete|and) (\S+?)(?:,| and)", str(caught.value)):
        shutil.rmtree(folder)
    assert take(packed, tmp_path) == manifest


@pytest.fixture(scope="module")
def full_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("full")
    draw_kaggle_folder(folder, FULL.image_size)
    shutil.rmtree(folder / "test_hq")
    return folder


def test_full_images_are_reduced_without_loss_for_a_small_run(full_folder, tmp_path):
    manifest = take(full_folder, tmp_path, workers=2)
    images = ImageSet(manifest)
    for record in manifest.records[:3]:
        assert (record.width, record.height) == (1918, 1280)
        original = full_folder / "train_hq" / record.name
        mask = full_folder / "train_masks" / record.name.replace(".jpg", "_mask.gif")
        assert np.array_equal(images.image(record.name), reduce_image(read_image(original), SMALL))
        assert np.array_equal(images.mask(record.name), reduce_mask(read_mask(mask), SMALL))
        assert record.area == images.mask(record.name).sum()
        assert Path(record.file).is_relative_to(tmp_path / "work")
    assert take(full_folder, tmp_path) == manifest
    assert not list((tmp_path / "work").glob(".*"))


def test_full_images_stay_where_they_are_in_a_full_run(full_folder, tmp_path):
    manifest = take(full_folder, tmp_path, geometry=FULL)
    assert Path(manifest.records[0].file).parent == full_folder / "train_hq"
    assert manifest.records[0].area == read_mask(Path(manifest.records[0].mask)).sum()


def test_a_full_run_refuses_small_images(pristine_folder, tmp_path):
    with pytest.raises(UserError, match="image is 94x64, expected 1918x1280\n"):
        take(pristine_folder, tmp_path, geometry=FULL)


def test_a_missing_mask(data_folder, tmp_path):
    (data_folder / "train_masks" / f"{FIRST}_mask.gif").unlink()
    assert problems_of(data_folder, tmp_path) == [
        f"{FIRST}.jpg: no mask {FIRST}_mask.gif in {data_folder / 'train_masks'}"
    ]


def test_a_truncated_jpeg(data_folder, tmp_path):
    path = data_folder / "train_hq" / f"{FIRST}.jpg"
    path.write_bytes(path.read_bytes()[:-300])
    assert problems_of(data_folder, tmp_path) == [f"{FIRST}.jpg: truncated or unreadable image"]


def test_an_image_that_is_turned_when_it_is_read(data_folder, tmp_path):
    path = data_folder / "train_hq" / f"{FIRST}.jpg"
    with Image.open(path) as picture:
        exif = picture.getexif()
        exif[0x0112] = 6
        picture.save(path, exif=exif)
    (problem,) = problems_of(data_folder, tmp_path)
    assert problem == f"{FIRST}.jpg: image is turned by its EXIF data, and its mask is not; save it upright"


def test_a_file_that_is_no_jpeg(data_folder, tmp_path):
    path = data_folder / "train_hq" / f"{FIRST}.jpg"
    path.write_text("<html>Too many requests</html>")
    assert problems_of(data_folder, tmp_path) == [f"{FIRST}.jpg: not a JPEG file"]


def test_a_mask_of_another_size(data_folder, tmp_path):
    write_gif_mask(data_folder / "train_masks" / f"{FIRST}_mask.gif", (64, 95), 0)
    assert problems_of(data_folder, tmp_path) == [f"{FIRST}_mask.gif: mask is 95x64, its image 94x64"]


def test_a_mask_that_is_not_binary(data_folder, tmp_path):
    (data_folder / "train_masks" / f"{FIRST}_mask.gif").unlink()
    grey = np.tile(np.arange(94, dtype=np.uint8), (64, 1))
    Image.fromarray(grey).save(data_folder / "train_masks" / f"{FIRST}_mask.png")
    (problem,) = problems_of(data_folder, tmp_path)
    assert problem.startswith(f"{FIRST}_mask.png: mask is not binary")


def test_a_truncated_mask(data_folder, tmp_path):
    path = data_folder / "train_masks" / f"{FIRST}_mask.gif"
    path.write_bytes(path.read_bytes()[:-100])
    assert problems_of(data_folder, tmp_path) == [f"{FIRST}_mask.gif: truncated or unreadable mask"]


def test_missing_views(data_folder, tmp_path):
    for view in ("03", "11"):
        (data_folder / "train_hq" / f"{TRAIN_CARS[1]}_{view}.jpg").unlink()
        (data_folder / "train_masks" / f"{TRAIN_CARS[1]}_{view}_mask.gif").unlink()
    assert problems_of(data_folder, tmp_path) == [f"car {TRAIN_CARS[1]}: no image of view 03, 11"]


def test_stray_files_but_not_those_of_operating_systems(data_folder, tmp_path):
    for folder in ("train_hq", "train_masks"):
        for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
            (data_folder / folder / name).touch()
    assert len(take(data_folder, tmp_path)) == 32
    (data_folder / "train_hq" / "notes.txt").touch()
    (data_folder / "train_hq" / "more").mkdir()
    (data_folder / "train_masks" / "0123456789ab_01_mask.gif").touch()
    more, notes, mask = problems_of(data_folder, tmp_path)
    assert more.startswith("stray file: 'more' is not an image name")
    assert notes.startswith("stray file: 'notes.txt' is not an image name")
    assert mask.startswith("stray file among the masks: 0123456789ab_01_mask.gif")


def test_two_masks_of_one_image(data_folder, tmp_path):
    masks = data_folder / "train_masks"
    with Image.open(masks / f"{FIRST}_mask.gif") as mask:
        mask.convert("L").save(masks / f"{FIRST}_mask.png")
    assert problems_of(data_folder, tmp_path) == [f"{FIRST}.jpg: two masks, {FIRST}_mask.gif and {FIRST}_mask.png"]


def test_a_name_that_breaks_the_pattern(data_folder, tmp_path):
    (data_folder / "train_hq" / f"{FIRST}.jpg").rename(data_folder / "train_hq" / f"{FIRST} (1).jpg")
    stray, view, mask = problems_of(data_folder, tmp_path)
    assert "(1).jpg' is not an image name: expected 12 lower-case hexadecimal digits" in stray
    assert view == f"car {TRAIN_CARS[0]}: no image of view 01"
    assert f"{FIRST}_mask.gif is not the mask of an image that is there" in mask


def test_an_empty_folder(data_folder, tmp_path):
    shutil.rmtree(data_folder / "train_hq")
    (data_folder / "train_hq").mkdir()
    with pytest.raises(UserError, match="train_hq: the folder is empty"):
        take(data_folder, tmp_path)


def test_an_image_of_another_size(data_folder, tmp_path):
    write_jpeg(data_folder / "train_hq" / f"{FIRST}.jpg", (64, 96), 0)
    assert problems_of(data_folder, tmp_path) == [f"{FIRST}.jpg: image is 96x64, expected 1918x1280 or 94x64"]


def test_images_of_two_sizes(data_folder, tmp_path):
    write_jpeg(data_folder / "train_hq" / f"{FIRST}.jpg", FULL.image_size, 0)
    write_gif_mask(data_folder / "train_masks" / f"{FIRST}_mask.gif", FULL.image_size, 0)
    assert problems_of(data_folder, tmp_path) == [f"{FIRST}.jpg: image is 1918x1280, most are 94x64"]


def test_other_counts_than_the_published(pristine_folder, tmp_path):
    assert problems_of(pristine_folder, tmp_path, expected=Counts(318, 5088)) == [
        "2 cars and 32 images found, the published data set has 318 cars and 5,088 images"
    ]


def test_all_problems_are_counted_and_ten_are_listed(data_folder, tmp_path):
    for path in list((data_folder / "train_masks").iterdir())[:11]:
        path.unlink()
    for path in (data_folder / "train_hq").glob(f"{TRAIN_CARS[0]}_0[1-2].jpg"):
        path.write_bytes(b"")
    with pytest.raises(UserError, match="13 problems with the data"):
        take(data_folder, tmp_path)
    assert len(problems_of(data_folder, tmp_path)) == 10


def test_the_submission_names_other_images(data_folder, tmp_path):
    table = data_folder / "sample_submission.csv"
    table.write_text(table.read_text().replace("00000000000c_05", "00000000000c_04").replace("c_09.jpg", "d_09.jpg"))
    assert problems_of(data_folder, tmp_path, "test") == [
        "00000000000c_04.jpg: 2 times in sample_submission.csv",
        "00000000000d_09.jpg: in sample_submission.csv, but there is no such image",
        "00000000000c_05.jpg: not in sample_submission.csv",
        "00000000000c_09.jpg: not in sample_submission.csv",
    ]


def test_a_table_without_names_is_the_users_error(data_folder, tmp_path):
    (data_folder / "sample_submission.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"sample_submission\.csv: its columns are .*, expected img, rle_mask first"):
        take(data_folder, tmp_path, "test")


def run_script(folder, tmp_path, *options):
    command = [sys.executable, SCRIPT, "--data", folder, "--split", "train", "--geometry", "small", "--quiet"]
    command += ["--work-dir", tmp_path / "work", "--manifest", tmp_path / "train.csv", *options]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


def test_the_script_writes_the_manifest_and_is_quiet(pristine_folder, tmp_path):
    run = run_script(pristine_folder, tmp_path, "--expected-cars", 2, "--expected-images", 32, "--workers", 2)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert read_manifest(tmp_path / "train.csv") == take(pristine_folder, tmp_path)


def test_the_script_stops_at_bad_data_and_leaves_no_manifest(pristine_folder, tmp_path):
    run = run_script(pristine_folder, tmp_path, "--expected-cars", 318, "--expected-images", 5088)
    assert run.returncode == 1
    assert run.stderr.startswith("error: ")
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "train.csv").exists()


def test_the_progress_bar_counts_images(pristine_folder, tmp_path, capfd):
    take_in(pristine_folder, "train", SMALL, tmp_path / "work")
    assert "32/32" in capfd.readouterr().err
    take(pristine_folder, tmp_path)
    assert capfd.readouterr().err == ""


def test_reading_back_what_the_manifest_lists(pristine_folder, tmp_path):
    manifest = take(pristine_folder, tmp_path)
    record = manifest.records[5]
    assert np.array_equal(ImageSet(manifest).image(record.name), read_image(pristine_folder / "train_hq" / record.name))
