import gzip
import os
import threading
import zipfile
from pathlib import Path

import pytest

from carvana.errors import UserError
from carvana.submission import tabletext
from carvana.submission.tabletext import DAMAGES, opened_table

TEXT = "img,rle_mask\na,1 2\nb,\n"
LINES = TEXT.splitlines(keepends=True)
# Without the time, which would stand in the names of tests, and those must be alike in all processes of a run.
PACKED = gzip.compress(TEXT.encode(), mtime=0)


def lines_of(path, content):
    path.write_bytes(content)
    with opened_table(path) as lines:
        return list(lines)


def zipped(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path.read_bytes()


def test_a_table_is_read_plain_and_packed(tmp_path):
    assert lines_of(tmp_path / "t.csv", TEXT.encode()) == LINES
    assert lines_of(tmp_path / "t.csv.gz", gzip.compress(TEXT.encode())) == LINES
    packed = zipped(tmp_path / "t.zip", ("folder/", ""), ("folder/t.csv", TEXT), ("__MACOSX/._t.csv", "x"))
    assert lines_of(tmp_path / "t.zip", packed) == LINES
    assert lines_of(tmp_path / "T.CSV.GZ", gzip.compress(TEXT.encode())) == LINES
    assert lines_of(tmp_path / "T.ZIP", zipped(tmp_path / "T.ZIP", ("T.CSV", TEXT))) == LINES


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "is empty"),
        ("t.csv.gz", b"", "is empty"),
        ("t.csv", b"\n <!DOCTYPE html><html>", "is a web page"),
        ("t.csv.gz", b"<html>", "is a web page"),
        ("t.csv.gz", TEXT.encode(), "is not a .gz file"),
        ("t.zip", PACKED, "is not a .zip file"),
        ("t.csv", PACKED, "is packed; name it"),
        ("t.csv.gz", gzip.compress(b"", mtime=0), "is empty inside"),
        ("t.csv.bz2", TEXT.encode(), r"is named \.bz2; a table is a \.csv, \.csv\.gz or \.zip"),
        (
            "t.csv",
            TEXT.encode("utf-8-sig"),
            "begins with a byte-order mark, as Excel's 'CSV UTF-8' does; save it without",
        ),
        ("t.csv.gz", gzip.compress(TEXT.encode("utf-8-sig"), mtime=0), "begins with a byte-order mark"),
        ("t.csv", TEXT.encode("utf-16"), "line 1: this is UTF-16 or the like; save the table as plain CSV in UTF-8"),
        ("t.csv", TEXT.encode("utf-16-be"), "line 1: this is UTF-16 or the like"),
        ("t.csv", b"img\xff", "line 1: the byte 0xff is not UTF-8"),
        ("t.csv", TEXT.encode() + b"c,1 2\r\nd\xe9,\ne,", "line 5: the byte 0xe9 is not UTF-8; save the table as"),
    ],
)
def test_rubbish_is_named_as_what_it_is(tmp_path, name, content, message):
    with pytest.raises(UserError, match=message):
        lines_of(tmp_path / name, content)


@pytest.mark.parametrize("at_once", [1, 2, 7])
def test_the_line_of_a_wrong_byte_is_right_wherever_a_block_ends(tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(tabletext, "_READ_AT_ONCE", at_once)
    with pytest.raises(UserError, match=r"t\.csv, line 4: the byte 0xe9 is not UTF-8"):
        lines_of(tmp_path / "t.csv", TEXT.encode() + b"caf\xe9,\r\n")


def test_a_pipe_is_told_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    told = "is a pipe or a device, which cannot be read twice; save it into a file"
    for path in (tmp_path / "pipe.csv", Path("/dev/null")):
        with pytest.raises(UserError, match=told), opened_table(path):
            pass


@pytest.mark.parametrize("names", [(), ("a.csv", "b.csv"), ("a.txt",), (".",)])
def test_a_zip_must_hold_one_table(tmp_path, names):
    content = zipped(tmp_path / "t.zip", *((name, TEXT) for name in names))
    with pytest.raises(UserError, match=r"should hold one \.csv file"):
        lines_of(tmp_path / "t.zip", content)


def test_damage_is_raised_as_one_of_the_damages(tmp_path):
    packed = gzip.compress(TEXT.encode() * 100)
    broken_zip = bytearray(zipped(tmp_path / "t.zip", ("t.csv", TEXT)))
    broken_zip[45] ^= 0xFF
    with zipfile.ZipFile(tmp_path / "lzma.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("t.csv", TEXT * 100)
    broken_lzma = bytearray((tmp_path / "lzma.zip").read_bytes())
    broken_lzma[50:54] = b"\xff" * 4
    for name, content in (
        ("cut.csv.gz", packed[:-9]),
        ("t.zip", bytes(broken_zip)),
        ("cut.zip", bytes(broken_zip[:60])),
        ("lzma.zip", bytes(broken_lzma)),
        ("wrong_byte.csv.gz", gzip.compress(b"img\xff" * 10**6)[:-9]),
    ):
        with pytest.raises(DAMAGES):
            lines_of(tmp_path / name, content)


def test_an_endless_line_is_not_read_into_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(tabletext, "LONGEST_LINE", 100)
    assert lines_of(tmp_path / "t.csv", b"a" * 98 + b"\n") == ["a" * 98 + "\n"]
    with pytest.raises(OSError, match="a line of more than"):
        lines_of(tmp_path / "t.csv", b"a" * 101)


@pytest.mark.parametrize("at_once", [1, 2, 3, 7, 2**17])
def test_lines_end_where_the_text_says_wherever_a_block_ends(tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(tabletext, "_READ_AT_ONCE", at_once)
    monkeypatch.setattr(tabletext, "_UNPACKED_AT_ONCE", at_once)
    text = "img,rle_mask\r\na,1 2\r\rb,\u2028\x0b\x1c\u00e9\n\nc,3 4"
    lines = ["img,rle_mask\r\n", "a,1 2\r", "\r", "b,\u2028\x0b\x1c\u00e9\n", "\n", "c,3 4"]
    for ended in ("", "\n", "\r", "\r\n"):
        expected = [*lines[:-1], lines[-1] + ended]
        assert lines_of(tmp_path / "t.csv", (text + ended).encode()) == expected
        assert lines_of(tmp_path / "t.csv.gz", gzip.compress((text + ended).encode())) == expected


def test_what_the_gzip_module_reads_is_read(tmp_path):
    members = b"".join(gzip.compress(part.encode()) for part in ("img,rle", "", "_mask\na,", "1 2\n"))
    for packed in (
        members,
        members + b"\0" * 1000,
        members + b"\0" * 2**20,
        members[:-1] + members[-1:] + b"\0" + gzip.compress(b"b,\n"),
    ):
        lines = gzip.decompress(packed).decode().splitlines(keepends=True)
        assert lines_of(tmp_path / "t.csv.gz", packed) == lines


def test_little_that_is_much_is_unpacked_bit_by_bit():
    packed, most = gzip.compress(bytes(2**26)), tabletext._UNPACKED_AT_ONCE
    assert len(packed) < 2**17
    assert [len(text) for text in tabletext._unpacked([packed]) if text] == [most] * (2**26 // most)


@pytest.mark.parametrize("name", ["t.csv.gz", "t.zip"])
def test_no_thread_is_left_where_a_reader_stops_early(tmp_path, name):
    before = set(threading.enumerate())
    path = tmp_path / name
    if name == "t.zip":
        zipped(path, ("t.csv", TEXT * 10**6))
    else:
        path.write_bytes(gzip.compress(TEXT.encode() * 10**6))
    with opened_table(path) as lines:
        assert next(lines) == "img,rle_mask\n"
    assert set(threading.enumerate()) <= before


def test_a_gzip_file_cut_or_changed_anywhere_is_damaged(tmp_path):
    packed = gzip.compress(b"img,rle_mask\n" + b"".join(b"%d,%d 1\n" % (n, n * n) for n in range(200)), mtime=0)
    for place in range(2, len(packed), 7):
        with pytest.raises(DAMAGES):
            lines_of(tmp_path / "t.csv.gz", packed[:place])
    for place in range(18, len(packed)):
        with pytest.raises(DAMAGES):
            lines_of(tmp_path / "t.csv.gz", packed[:place] + bytes([packed[place] ^ 0xFF]) + packed[place + 1 :])
    with pytest.raises(DAMAGES):
        lines_of(tmp_path / "t.csv.gz", packed + b"x")
