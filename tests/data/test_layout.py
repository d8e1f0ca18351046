import pytest

from carvana.data.layout import find_images, find_table
from carvana.errors import UserError
from tests.data.zips import found_files, make_zip


def test_a_folder_is_used_where_it_is(data, tmp_path):
    (data / "train_hq").mkdir()
    (data / "train_hq" / "a.jpg").touch()
    assert find_images(data, "train_hq", tmp_path / "cache") == data / "train_hq"
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("inner", ["", "train_hq/", "some/other name/"])
def test_images_are_found_whatever_the_folder_in_the_zip_is_called(data, tmp_path, inner):
    entries = [
        (f"{inner}a.jpg", b"a"),
        (f"{inner}b.jpg", b"b"),
        ("__MACOSX/._a.jpg", b"x"),
        (f"{inner}.DS_Store", b"x"),
    ]
    make_zip(data / "train_hq.zip", entries)
    found = find_images(data, "train_hq", tmp_path / "cache")
    assert found_files(found) == ["a.jpg", "b.jpg"]
    assert (found / "b.jpg").read_bytes() == b"b"
    assert [path.name for path in data.iterdir()] == ["train_hq.zip"]


def test_folder_entries_and_a_doubly_unpacked_folder_are_understood(data, tmp_path):
    make_zip(data / "train_hq.zip", [("train_hq/", b""), ("train_hq/a.jpg", b"a"), ("train_hq/b.jpg", b"b")])
    assert found_files(find_images(data, "train_hq", tmp_path / "cache")) == ["a.jpg", "b.jpg"]
    inner = data / "test_hq" / "test_hq"
    inner.mkdir(parents=True)
    (inner / "a.jpg").touch()
    assert find_images(data, "test_hq", tmp_path / "cache") == inner


def test_tables_are_found_packed_and_unpacked(data, tmp_path):
    (data / "metadata.csv").write_text("id\n")
    make_zip(data / "sample_submission.csv.zip", [("sample_submission.csv", b"img,rle_mask\n")])
    assert find_table(data, "metadata", tmp_path / "cache") == data / "metadata.csv"
    table = find_table(data, "sample_submission", tmp_path / "cache")
    assert table.read_text() == "img,rle_mask\n"


def test_what_is_missing_is_named(data, tmp_path):
    with pytest.raises(UserError, match=r"no train_hq/ or train_hq\.zip"):
        find_images(data, "train_hq", tmp_path / "cache")
    with pytest.raises(UserError, match=r"no metadata\.csv or metadata\.csv\.zip"):
        find_table(data, "metadata", tmp_path / "cache")
    with pytest.raises(UserError, match="no such folder"):
        find_images(data / "elsewhere", "train_hq", tmp_path / "cache")
    make_zip(data / "metadata.csv.zip", [("other.csv", b"")])
    with pytest.raises(UserError, match=r"expected one metadata\.csv inside, found 0"):
        find_table(data, "metadata", tmp_path / "cache")
