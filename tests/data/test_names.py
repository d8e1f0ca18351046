import pytest

from carvana.data.names import ImageName, parse_image_name
from carvana.errors import UserError


def test_parses_car_and_view_and_prints_them_again():
    name = parse_image_name("03a857ce842d_07.jpg")
    assert name == ImageName("03a857ce842d", 7)
    assert str(name) == "03a857ce842d_07.jpg"
    assert name.mask_stem == "03a857ce842d_07_mask"


def test_names_sort_like_their_text():
    texts = ["03a857ce842d_10.jpg", "03a857ce842d_02.jpg", "a3a857ce842d_01.jpg", "0fa857ce842d_16.jpg"]
    assert [str(name) for name in sorted(map(parse_image_name, texts))] == sorted(texts)


@pytest.mark.parametrize(
    "text",
    [
        "03a857ce842d_00.jpg",
        "03a857ce842d_17.jpg",
        "03a857ce842d_7.jpg",
        "03a857ce842_07.jpg",
        "03A857CE842D_07.jpg",
        "03a857ce842g_07.jpg",
        "03a857ce842d_07.jpeg",
        "03a857ce842d_07.jpg\n",
        "03a857ce842d_0٧.jpg",
        "",
    ],
)
def test_refuses_other_names_and_says_what_is_expected(text):
    with pytest.raises(UserError, match="expected 12 lower-case hexadecimal digits"):
        parse_image_name(text)
