import pytest

from carvana.errors import UserError
from carvana.grading.dice import dice_by_image
from tests.grading.tables import TRAINING, table


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"a": "1 4", "b": "11 2"}, r"1 images to score have no mask \(c\)"),
        ({"a": "1", "b": "11 2", "c": ""}, "a: the RLE has 1 numbers"),
    ],
)
def test_tables_that_cannot_be_scored_are_refused(tmp_path, rows, message):
    with pytest.raises(UserError, match=message):
        dice_by_image([table(tmp_path / "o.csv", **rows)], TRAINING)


def test_a_strangers_mask_must_fit_the_image(tmp_path):
    file = table(tmp_path / "o.csv", a="1 4", b="11 2", c="")
    assert dice_by_image([file], TRAINING, (3, 4))["b"] == 1
    with pytest.raises(UserError, match="b: the RLE goes past the last"):
        dice_by_image([file], TRAINING, (1, 11))


def test_images_without_a_mask_are_left_out_where_that_is_said(tmp_path):
    file = table(tmp_path / "o.csv", b="11 2", stranger="1 1")
    assert dice_by_image([file], TRAINING, partial=True) == {"b": 1}


def test_a_table_given_twice_is_found(tables):
    with pytest.raises(UserError, match="second mask"):
        dice_by_image([*tables[0], tables[0][0]], TRAINING)
