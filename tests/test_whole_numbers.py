import numpy as np
import pytest

from carvana.whole_numbers import MOST_DIGITS, whole_numbers


def test_numbers_of_every_length_are_read_with_their_ends():
    draw = np.random.default_rng(5)
    for count in (1, 2, 3, 50, 5000):
        written = [str(int(draw.integers(0, 10**digits))) for digits in draw.integers(1, MOST_DIGITS + 1, count)]
        text = " ".join(written)
        numbers, ends = whole_numbers(text)
        assert numbers.dtype == np.int32
        assert numbers.tolist() == list(map(int, written))
        assert ends.tolist() == (np.cumsum([len(word) + 1 for word in written]) - 1).tolist()


def test_each_digit_counts_in_each_place():
    for place in range(MOST_DIGITS):
        for digit in "0123456789":
            word = "0" * (MOST_DIGITS - 1 - place) + digit + "0" * place
            assert whole_numbers(f"99999999 {word} 99999999")[0].tolist() == [99999999, int(word), 99999999]
            assert whole_numbers(word)[0].tolist() == [int(word)]


@pytest.mark.parametrize("text", ["{}", "1{}", "{}1", "1{}1", "1 {} 1", "1{} 1", "1 {}1"])
def test_nothing_else_is_taken_for_a_digit_or_a_blank(text):
    for character in map(chr, [*range(0x180), 0x662, 0x2003, 0x1F600]):
        if character not in "0123456789 ":
            with pytest.raises(ValueError, match="other than whole numbers"):
                whole_numbers(text.format(character))


@pytest.mark.parametrize("text", [" ", "  ", " 1", "1 ", "1  2", "1 2  "])
def test_blanks_are_single_and_between_numbers(text):
    with pytest.raises(ValueError, match="other than whole numbers"):
        whole_numbers(text)


@pytest.mark.parametrize("text", ["100000000", "1 000000001", "99999999999999999999 1"])
def test_numbers_that_are_too_long_are_refused(text):
    with pytest.raises(ValueError, match="more than 8 digits"):
        whole_numbers(text)
