import csv
import gzip

import pytest

from carvana.errors import UserError
from carvana.submission.mask_table import numbered_rows, read_masks, sample_names
from tests.submission.tables import table

NAMES = ("b_01.jpg", "a_01.jpg", "a_02.jpg")


def test_reading_refuses_what_is_no_table_of_masks(tmp_path):
    with pytest.raises(UserError, match="no such table"):
        list(read_masks(tmp_path / "absent.csv"))
    with pytest.raises(UserError, match="its columns are"):
        list(read_masks(table(tmp_path / "columns.csv", [], "image,mask")))
    with pytest.raises(UserError, match="line 2: 3 values, expected 2"):
        list(read_masks(table(tmp_path / "values.csv", [("a", "1 1,x")])))
    packed = gzip.compress(b"img,rle_mask\n" + b"a,1 1\n" * 100)
    for number, damaged in enumerate((packed[:-10], packed[:20] + b"\xff" + packed[21:])):
        path = tmp_path / f"{number}.csv.gz"
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"is damaged .*; restore it or make it again"):
            list(read_masks(path))
    with pytest.raises(UserError, match="no such table"):
        list(read_masks(path / "inside.csv"))


@pytest.mark.parametrize(
    "header", ["img,rle_mask, usage", "img,rle_mask,usage ", "img, rle_mask", '"img",rle_mask,"\tu"']
)
def test_blanks_around_a_columns_name_are_refused(tmp_path, header):
    """A column that nobody finds would be passed over, and with usage also what is to be ignored."""
    with pytest.raises(UserError, match="take the blanks around their names away"):
        list(read_masks(table(tmp_path / "s.csv", [], header)))


@pytest.mark.parametrize(
    ("text", "line"), [('a,"1 2\nb,3 4\n', 3), ('"a",1 2\nb,"\n"\nc,"\n\n', 6), ('a,"1 2\nb,"3 4"\n', 3)]
)
def test_the_line_of_a_wrong_quotation_mark_is_told(tmp_path, text, line):
    (tmp_path / "s.csv").write_text(f"img,rle_mask\nz,1 1\n{text}")
    with pytest.raises(UserError, match=rf"is damaged \(line {line}: (a quotation mark is not closed|',' expected)"):
        list(read_masks(tmp_path / "s.csv"))


def test_a_folder_is_told_from_a_damaged_table(tmp_path):
    for path in (tmp_path, tmp_path / "s.csv.gz", tmp_path / "s.zip"):
        path.mkdir(exist_ok=True)
        with pytest.raises(UserError, match=r"is a folder; name a table of masks, \.csv, \.csv\.gz or \.zip$"):
            list(read_masks(path))


def test_a_mask_of_noise_can_be_read(tmp_path):
    long = " ".join(f"{start} 1" for start in range(2, 200_000, 2))
    assert list(read_masks(table(tmp_path / "noise.csv", [("a", long)]))) == [("a", long)]


def test_sample_names_come_in_their_order_and_once(tmp_path):
    assert sample_names(table(tmp_path / "s.csv", [(name, "1 1") for name in NAMES])) == NAMES
    with pytest.raises(UserError, match="twice"):
        sample_names(table(tmp_path / "s.csv", [("a", "1 1"), ("a", "1 1")]))
    with pytest.raises(UserError, match="lists no image; restore Kaggle's file"):
        sample_names(table(tmp_path / "s.csv", []))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_quoted_and_plain_rows_are_read_alike(tmp_path, end):
    """Up to the first quotation mark lines are split without the csv module."""
    rows = [
        ["img", "rle_mask", "usage"],
        ["a.jpg", "1 2", "x"],
        [],
        ["b.jpg", "", ""],
        ["c, c.jpg", '"', "two\nlines"],
        ["d.jpg", "3 4", ""],
    ]
    with (tmp_path / "masks.csv").open("w", newline="") as stream:
        csv.writer(stream, lineterminator=end).writerows(rows)
    with (tmp_path / "masks.csv").open(newline="") as stream:
        reader = csv.reader(stream, strict=True)
        expected = [(reader.line_num, row) for row in reader]
    assert list(numbered_rows(tmp_path / "masks.csv")) == expected
