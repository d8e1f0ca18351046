import pytest

from carvana.data.manifest import ImageRecord, Manifest
from carvana.errors import UserError
from carvana.exclusion import excluded_from, read_exclusions
from carvana.reading import read_rows
from carvana.report.audit import write_audit
from tests.report.runs import analysed_as

NAMES = ("aaaaaaaaaaaa_01.jpg", "aaaaaaaaaaaa_02.jpg", "bbbbbbbbbbbb_01.jpg")
MANIFEST = Manifest(tuple(ImageRecord(n, n[:12], int(n[13:15]), 1, 9, 6, "", "", "", "", 5) for n in NAMES))


def test_the_audit_fed_back_excludes_what_a_person_marked_and_nothing_else(tmp_path):
    table = tmp_path / "mask_audit.csv"
    write_audit([analysed_as(NAMES[0], 0.01), analysed_as(NAMES[1], 0.5), analysed_as(NAMES[2], 0.1)], table)
    assert [row["img"] for row in read_rows(table)] == [NAMES[1], NAMES[2], NAMES[0]]
    assert read_exclusions(table, MANIFEST) == set()
    table.write_text(table.read_text().replace(f"{NAMES[1]},0,", f"{NAMES[1]},1,"))
    assert read_exclusions(table, MANIFEST) == {NAMES[1]}
    # As some spreadsheets save it.
    table.write_text(table.read_text(), encoding="utf-8-sig")
    assert read_exclusions(table, MANIFEST) == {NAMES[1]}


def test_a_network_that_never_trains_on_an_image_is_the_same_without_it():
    folds = {"aaaaaaaaaaaa": 0, "bbbbbbbbbbbb": 1}
    marked = {NAMES[2], NAMES[1], NAMES[0]}
    assert [excluded_from(marked, MANIFEST, folds, fold) for fold in (0, 1)] == [[NAMES[2]], [NAMES[0], NAMES[1]]]


def test_an_image_that_is_marked_twice_alike_and_blank_lines_do_no_harm(tmp_path):
    (tmp_path / "list.csv").write_text(f"exclude,img\n1,{NAMES[0]}\n\n 1,{NAMES[0]}\n0,{NAMES[1]}\n")
    assert read_exclusions(tmp_path / "list.csv", MANIFEST) == {NAMES[0]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("img,exclude\naaaaaaaaaaaa_01.jpg,yes\n", "is 'yes'; write 1"),
        ("img,exclude\ncccccccccccc_01.jpg,1\n", "cccccccccccc_01.jpg is not a training image"),
        ("img,dice\naaaaaaaaaaaa_01.jpg,1\n", "columns img, exclude"),
        ("img,dice\n", r"columns img, exclude: its columns are \['img', 'dice'\]"),
        ("img;exclude\n", r"columns img, exclude: its columns are \['img;exclude'\]"),
        ("img, exclude\n", r"its columns are \['img', ' exclude'\]"),
        ("img,exclude,exclude\n", "its columns are"),
        ("<html><body>Sign in</body></html>\n", "columns img, exclude: its columns are"),
        ("", "columns img, exclude: it is empty"),
        ("\n\n", "columns img, exclude: it is empty"),
        ("img,exclude\naaaaaaaaaaaa_01.jpg\n", "line 2: 1 values, expected 2"),
        ('img,exclude\n"aaaaaaaaaaaa_01.jpg,1\n', "unexpected end of data.; save it as CSV"),
        ("img,exclude\naaaaaaaaaaaa_01.jpg,1\naaaaaaaaaaaa_01.jpg,0\n", "line 3: aaaaaaaaaaaa_01.jpg has both marks"),
        (None, "No such file"),
    ],
)
def test_a_wrong_list_is_told(tmp_path, text, told):
    if text is not None:
        (tmp_path / "list.csv").write_text(text)
    with pytest.raises(UserError, match=told):
        read_exclusions(tmp_path / "list.csv", MANIFEST)


def test_the_audit_says_what_is_missing_and_what_is_extra(tmp_path):
    write_audit([analysed_as(NAMES[0], 0.25, missing=7, extra=2, ensemble=0.75)], tmp_path / "a.csv")
    (row,) = read_rows(tmp_path / "a.csv")
    assert row == {
        "img": NAMES[0],
        "exclude": "0",
        "against": "0.250000",
        "missing": "7",
        "extra": "2",
        "ensemble_dice": "0.750000",
    }
