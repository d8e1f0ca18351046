import stat
import zipfile

import pytest

from carvana.data.archives import DamagedArchiveError, UnpackLimits, check_archive, unpack
from carvana.errors import UserError
from tests.data.zips import found_files, make_zip
from tests.services import small_disk


def link_to(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def test_an_archive_is_unpacked_once_and_again_when_its_content_changes(data, tmp_path):
    archive = make_zip(data / "train_hq.zip", [("a.jpg", b"a")])
    first = unpack(archive, tmp_path / "cache")
    marker = first / "kept"
    marker.touch()
    assert unpack(archive, tmp_path / "cache") == first
    assert marker.exists()
    make_zip(archive, [("a.jpg", b"b")])
    second = unpack(archive, tmp_path / "cache")
    assert second != first
    assert (second / "a.jpg").read_bytes() == b"b"


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([("../evil.jpg", b"x")], "outside"),
        ([("a/../../evil.jpg", b"x")], "outside"),
        ([("/tmp/evil.jpg", b"x")], "outside"),
        ([("..", b"x")], "outside"),
        ([("..\\evil.jpg", b"x")], "not portable"),
        ([("C:evil.jpg", b"x")], "not portable"),
        ([(link_to("train_hq"), b"/etc")], "link"),
        ([(link_to("train_hq"), b"/tmp"), ("train_hq/evil.jpg", b"x")], "link"),
        ([("a.jpg", b"x"), ("A.jpg", b"y")], "comes twice"),
        ([("a.jpg", b"x"), ("a.jpg", b"y")], "comes twice"),
        ([("a", b"x"), ("a/b.jpg", b"y")], "damaged"),
    ],
)
def test_refuses_unsafe_archives_and_leaves_nothing(tmp_path, entries, reason):
    cache = tmp_path / "deep" / "cache"
    archive = make_zip(tmp_path / "evil.zip", [("fine.jpg", b"fine"), *entries])
    with pytest.raises(UserError, match=reason):
        unpack(archive, cache)
    assert found_files(tmp_path) == ["evil.zip"]
    assert not cache.exists() or not list(cache.iterdir())


def test_refuses_an_encrypted_archive(tmp_path):
    archive = make_zip(tmp_path / "locked.zip", [("a.jpg", b"x")])
    encoded = bytearray(archive.read_bytes())
    encoded[encoded.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(encoded)
    with pytest.raises(UserError, match="encrypted"):
        unpack(archive, tmp_path / "cache")


def test_refuses_a_bomb_by_its_ratio(tmp_path):
    archive = make_zip(tmp_path / "bomb.zip", [("a.jpg", bytes(10**6))], zipfile.ZIP_DEFLATED)
    with pytest.raises(UserError, match="more than the competition's"):
        unpack(archive, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("limits", [UnpackLimits(files=1), UnpackLimits(file_bytes=9), UnpackLimits(total_bytes=19)])
def test_refuses_more_than_the_limits(tmp_path, limits):
    archive = make_zip(tmp_path / "large.zip", [("a.jpg", b"0123456789"), ("b.jpg", b"0123456789")])
    assert found_files(unpack(archive, tmp_path / "cache")) == ["a.jpg", "b.jpg"]
    with pytest.raises(UserError, match="2 files of 20 bytes"):
        unpack(archive, tmp_path / "other cache", limits)


def test_an_archive_that_lies_about_its_sizes_writes_no_more_than_it_says(tmp_path):
    archive = make_zip(tmp_path / "liar.zip", [("a.jpg", bytes(50_000))], zipfile.ZIP_DEFLATED)
    encoded = archive.read_bytes().replace((50_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    archive.write_bytes(encoded)
    with pytest.raises(UserError, match="damaged"):
        unpack(archive, tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_refuses_a_damaged_archive_and_leaves_nothing(tmp_path, compression):
    content = bytes(range(256)) * 4
    archive = make_zip(tmp_path / "damaged.zip", [("a.jpg", b"first"), ("b.jpg", content)], compression)
    encoded = bytearray(archive.read_bytes())
    where = encoded.index(b"b.jpg") + 40
    encoded[where] ^= 0xFF
    archive.write_bytes(encoded)
    with pytest.raises(UserError, match="damaged"):
        unpack(archive, tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_an_archive_is_checked_without_unpacking_it(tmp_path):
    archive = make_zip(
        tmp_path / "a.zip", [("train_hq/", b""), ("train_hq/a.jpg", b"abc"), ("train_hq/b.jpg", b"defg")]
    )
    read: list[int] = []
    assert check_archive(archive, advance=read.append) == 2
    assert read == [3, 4]
    assert found_files(tmp_path) == ["a.zip"]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damage_anywhere_in_the_content_is_seen(tmp_path, compression):
    content = bytes(range(256)) * 4
    archive = make_zip(tmp_path / "a.zip", [("a.jpg", content)], compression)
    encoded = archive.read_bytes()
    with zipfile.ZipFile(archive) as opened:
        first, size = 30 + len("a.jpg"), opened.getinfo("a.jpg").compress_size
    for place in (first + size // 3, first + size // 2, first + size - 1):
        archive.write_bytes(encoded[:place] + bytes([encoded[place] ^ 0x55]) + encoded[place + 1 :])
        with pytest.raises(DamagedArchiveError):
            check_archive(archive)


@pytest.mark.parametrize("bit", [5, 6], ids=["patched data", "strong encryption"])
def test_a_header_that_asks_for_what_zipfile_cannot_do_is_a_damage(tmp_path, bit):
    archive = make_zip(tmp_path / "a.zip", [("a.jpg", b"abc")])
    encoded = bytearray(archive.read_bytes())
    # The entry's flags, in front of it and in the archive's directory.
    for place in (encoded.index(b"PK\3\4") + 6, encoded.index(b"PK\1\2") + 8):
        encoded[place] |= 1 << bit
    archive.write_bytes(encoded)
    with pytest.raises(DamagedArchiveError, match="download it again"):
        check_archive(archive)


def test_any_flipped_bit_is_harmless_or_told_in_one_message(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("x/a.jpg", b"abc" * 20), ("x/b.jpg", b"")], zipfile.ZIP_DEFLATED)
    encoded, told = archive.read_bytes(), set()
    for place in range(len(encoded) * 8):
        flipped = bytearray(encoded)
        flipped[place // 8] ^= 1 << place % 8
        archive.write_bytes(flipped)
        for read in (check_archive, lambda damaged: unpack(damaged, tmp_path / "cache")):
            try:
                read(archive)
            except UserError as error:
                told.add(str(error))
    assert any("Invalid argument" in message for message in told)


def test_a_check_refuses_what_unpacking_would(tmp_path):
    with pytest.raises(UserError, match="outside"):
        check_archive(make_zip(tmp_path / "a.zip", [("../a.jpg", b"x")]))
    with pytest.raises(UserError, match="more than the competition's"):
        check_archive(make_zip(tmp_path / "b.zip", [("a.jpg", bytes(10**6))], zipfile.ZIP_DEFLATED))
    (tmp_path / "c.zip").write_bytes(b"")
    with pytest.raises(DamagedArchiveError, match="not a zip"):
        check_archive(tmp_path / "c.zip")


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_refuses_methods_that_could_fill_the_memory(tmp_path, compression):
    archive = make_zip(tmp_path / "a.zip", [("a.jpg", b"x")], compression)
    with pytest.raises(UserError, match="another method"):
        unpack(archive, tmp_path / "cache")


@pytest.fixture
def disk_of_1_mebibyte(tmp_path):
    with small_disk(tmp_path / "disk", "1m") as folder:
        yield folder


def test_too_little_space_is_told_before_unpacking(tmp_path, disk_of_1_mebibyte):
    archive = make_zip(tmp_path / "a.zip", [("a.jpg", b"x" * (2 << 20))])
    with pytest.raises(UserError, match=r"needs 0\.0 GiB unpacked and .* make room"):
        unpack(archive, disk_of_1_mebibyte)
    assert not list(disk_of_1_mebibyte.iterdir())


def test_a_disk_that_fills_while_unpacking_is_told_and_nothing_stays(tmp_path, disk_of_1_mebibyte):
    # The sum of the sizes fits; whole pages for each file do not.
    archive = make_zip(tmp_path / "a.zip", [(f"{number}.jpg", b"x") for number in range(600)])
    with pytest.raises(UserError, match=r"the disk of .* is full; make room"):
        unpack(archive, disk_of_1_mebibyte)
    assert not list(disk_of_1_mebibyte.iterdir())


def test_refuses_what_is_no_zip(tmp_path):
    (tmp_path / "no.zip").write_bytes(b"not a zip")
    with pytest.raises(UserError, match="not a zip archive"):
        unpack(tmp_path / "no.zip", tmp_path / "cache")


def test_what_is_unpacked_is_on_disk_before_the_folder_has_its_name(tmp_path, monkeypatch):
    """The folder is not looked into again: a power cut could leave it with empty files otherwise."""
    archive, named = make_zip(tmp_path / "a.zip", [("a.jpg", b"a")]), []
    monkeypatch.setattr("os.sync", lambda: named.append(list((tmp_path / "cache").glob("[!.]*"))))
    unpack(archive, tmp_path / "cache")
    assert named == [[]]
