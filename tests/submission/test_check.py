import pytest

from carvana.errors import UserError
from carvana.submission.check import check, validate_submission
from tests.submission.tables import table

SIZE = (4, 5)
NAMES = ("b_01.jpg", "a_01.jpg", "a_02.jpg")
CAR = "03a857ce842d"


def numbered(*rows, header=("img", "rle_mask")):
    return enumerate([header, *rows], start=1)


def found(*rows, names=NAMES, **given):
    report = check(numbered(*rows, **given), names, SIZE)
    assert report.problems == len(report.first)
    return list(report.first)


def test_a_good_submission_has_no_problems():
    report = check(numbered(("b_01.jpg", "2 3 6 1"), ("a_01.jpg", ""), ("a_02.jpg", "19 1")), NAMES, SIZE)
    assert (report.images, report.lowest_row, report.problems, report.first) == (3, 4, 0, ())


def test_the_lowest_row_that_a_mask_reaches():
    for encoded, row in (("", 0), ("2 4", 1), ("2 5", 2), ("3 1 7 9", 3)):
        assert check(numbered(("b_01.jpg", encoded)), None, SIZE).lowest_row == row


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        ("2", "the RLE has 1 numbers; starts and lengths come in pairs"),
        ("2 x", "the RLE holds something other than whole numbers joined by single blanks"),
        ("2 2 3 1", "the RLE has runs that overlap"),
        ("5 2 3 1", "the RLE's starts are not in ascending order"),
        ("20 2", "the RLE goes past the last of the image's 20 pixels"),
        ("1 1", "the RLE sets the image's first or last pixel"),
        ("18 3", "the RLE sets the image's first or last pixel"),
    ],
)
def test_a_wrong_mask_is_told_with_its_line_and_image(encoded, message):
    rows = [("b_01.jpg", ""), ("a_01.jpg", encoded), ("a_02.jpg", "")]
    assert found(*rows) == [f"line 3: a_01.jpg: {message}"]


def test_columns_must_be_these_two():
    rows = [(name, "", "0") for name in NAMES]
    assert found(*rows, header=("img", "rle_mask", "fired"))[:2] == [
        "line 1: the columns are img, rle_mask, fired; expected img, rle_mask",
        "line 2: 3 values, expected 2",
    ]


def test_one_missing_row_is_one_problem():
    assert found(("b_01.jpg", ""), ("a_02.jpg", "")) == ["no row for a_01.jpg"]


def test_a_table_without_rows_is_a_problem():
    report = check(numbered(), None, SIZE)
    assert str(report) == "1 problem:\n  no row follows the columns"
    assert found() == [f"no row for {name}" for name in NAMES]


def test_one_unknown_row_is_one_problem():
    assert found(("b_01.jpg", ""), ("c_01.jpg", ""), ("a_01.jpg", ""), ("a_02.jpg", "")) == [
        "line 3: 'c_01.jpg' is not in the sample submission"
    ]


def test_one_double_row_is_one_problem():
    assert found(("b_01.jpg", ""), ("a_01.jpg", ""), ("b_01.jpg", ""), ("a_02.jpg", "")) == [
        "line 4: b_01.jpg comes a second time, first on line 2"
    ]


def test_rows_in_another_order_are_told():
    assert found(("a_01.jpg", ""), ("b_01.jpg", ""), ("a_02.jpg", "")) == [
        "line 3: b_01.jpg comes after a_01.jpg; the sample submission has it before"
    ]


def test_without_the_sample_submission_names_need_only_be_sound():
    views = [(f"{CAR}_{view:02}.jpg", "") for view in range(16, 0, -1)]
    assert found(*views, names=None) == []
    assert found(*views[1:], names=None) == [f"no row for {CAR}_16.jpg"]
    assert found(*views, ("x.jpg", ""), views[0], names=None) == [
        "line 18: 'x.jpg' is not an image name: expected 12 lower-case hexadecimal digits, '_', a view 01..16 and"
        " '.jpg', as in 03a857ce842d_01.jpg",
        f"line 19: {views[0][0]} comes a second time, first on line 2",
    ]


def test_ten_problems_are_kept_and_all_are_counted():
    report = check(numbered(*((f"x{number}", "") for number in range(1000))), NAMES, SIZE)
    assert (report.images, report.problems, len(report.first)) == (1000, 1003, 10)
    assert str(report).startswith("1,003 problems:\n  line 2: ")
    assert str(report).endswith("\n  ... and 993 more")


def test_an_invalid_submission_is_told_with_its_first_problems_and_their_number(tmp_path):
    path = table(tmp_path / "submission.csv", [(f"x{number}", "") for number in range(12)])
    with pytest.raises(UserError) as raised:
        validate_submission(path, NAMES[:2], SIZE)
    lines = str(raised.value).splitlines()
    assert lines[0] == f"{path} is not a valid submission; 14 problems:"
    assert lines[1] == "  line 2: 'x0' is not in the sample submission"
    assert lines[10].startswith("  line 11:")
    assert lines[11:] == ["  ... and 4 more"]
