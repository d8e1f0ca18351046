import re

import numpy as np
import pytest

from carvana import rle


def naive_encode(mask):
    pairs, run = [], 0
    for position, value in enumerate([*mask.ravel().tolist(), 0], start=1):
        if value:
            run += 1
        elif run:
            pairs += [position - run, run]
            run = 0
    return " ".join(map(str, pairs))


def random_masks():
    rng = np.random.default_rng(7)
    for _ in range(200):
        size = tuple(rng.integers(1, 12, 2))
        yield (rng.random(size) < rng.choice([0.0, 0.1, 0.5, 0.9, 1.0])).astype(np.uint8)


def test_encode_agrees_with_a_loop_over_pixels():
    for mask in random_masks():
        assert rle.encode(mask) == naive_encode(mask)
        assert rle.encode(mask.astype(bool)) == naive_encode(mask)
        assert rle.encode(mask * np.uint8(255)) == naive_encode(mask)


def test_decode_inverts_encode():
    for mask in random_masks():
        decoded = rle.decode(rle.encode(mask), mask.shape)
        assert decoded.dtype == np.uint8
        np.testing.assert_array_equal(decoded, mask)


def test_pixels_are_numbered_row_by_row_from_one():
    mask = np.array([[0, 1, 1], [1, 0, 1]], np.uint8)
    assert rle.encode(mask) == "2 3 6 1"


def test_a_mask_that_is_not_contiguous_is_encoded_row_by_row():
    mask = np.array([[0, 1, 1], [1, 0, 1]], np.uint8)
    assert rle.encode(mask.T) == rle.encode(np.ascontiguousarray(mask.T))


def test_runs_that_touch_are_read():
    np.testing.assert_array_equal(rle.decode("2 2 4 1", (2, 3)), [[0, 1, 1], [1, 0, 0]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1", "pairs"),
        ("1 2 3", "pairs"),
        ("1 x", "whole numbers"),
        ("1.5 2", "whole numbers"),
        ("0 1", "below 1"),
        ("1 0", "below 1"),
        ("1 -2", "whole numbers"),
        ("+1 2", "whole numbers"),
        ("1_0 2", "whole numbers"),
        ("1\t2", "whole numbers"),
        ("1 2\n", "whole numbers"),
        ("1 2 \t3 1", "whole numbers"),
        ("1 2e3", "whole numbers"),
        ("1 0x2", "whole numbers"),
        ("1 2\0", "whole numbers"),
        ("1 \u0662", "whole numbers"),
        (" 1 2", "single blanks"),
        (" ", "single blanks"),
        ("1  2", "single blanks"),
        ("1 2 ", "single blanks"),
        ("5 1 2 1", "ascending"),
        ("2 1 2 1", "ascending"),
        ("1 3 3 1", "overlap"),
        ("6 2", "past the last"),
        ("7 1", "past the last"),
        ("1 99999999", "past the last"),
        ("99999999 99999999", "past the last"),
        ("1 9223372036854775807", "more than 8 digits"),
        ("100000000 1", "more than 8 digits"),
    ],
)
def test_malformed_rles_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        rle.decode(text, (2, 3))


def test_nothing_but_whole_numbers_and_single_blanks_is_read():
    draw = np.random.default_rng(3)
    characters = [*"0179  " * 4, *"+-\t.e_x\0\u0662"]
    read = 0
    for _ in range(5000):
        text = "".join(draw.choice(characters, draw.integers(0, 8)))
        try:
            edges = rle.runs(text)
        except ValueError as error:
            well_formed = "whole numbers" not in str(error)
        else:
            well_formed = True
            read += 1
            numbers = np.array([int(token) for token in text.split()], np.int64).reshape(-1, 2)
            np.testing.assert_array_equal(edges, np.cumsum(numbers, axis=1))
        assert well_formed == bool(re.fullmatch(r"([0-9]+( [0-9]+)*)?", text)), repr(text)
    assert read > 100


def random_rows(count):
    """More than are read together: well-formed RLEs of a 1280x1918 image, some empty."""
    draw = np.random.default_rng(11)
    for number in range(count):
        edges = np.sort(draw.choice(1280 * 1918 + 1, 2 * int(draw.integers(0, 400)), replace=False)) + 1
        pairs = np.stack([edges[::2], edges[1::2] - edges[::2]], axis=1)
        yield f"image {number}", " ".join(map(str, pairs.ravel().tolist())), edges.reshape(-1, 2)


def test_the_runs_of_many_rows_are_those_of_each():
    rows = list(random_rows(200))
    assert sum(len(written) for _, written, _ in rows) > 3 * rle._READ_TOGETHER
    for size in ((1280, 1918), None):
        found = list(rle.runs_of_rows(((name, written) for name, written, _ in rows), size))
        assert [name for name, _ in found] == [name for name, _, _ in rows]
        for (_, runs), (_, written, edges) in zip(found, rows, strict=True):
            assert runs.dtype == np.int32
            np.testing.assert_array_equal(runs, edges)
            np.testing.assert_array_equal(runs, rle.runs(written))
    assert list(rle.runs_of_rows([], None)) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1", "has 1 numbers"),
        ("x 1", "whole numbers"),
        (" ", "whole numbers"),
        (" 1 2", "whole numbers"),
        ("0 1", "below 1"),
        ("5 1 2 1", "ascending"),
        ("1 3 3 1", "overlap"),
        ("1 2455041", "past the last"),
        ("1 \u0662", "whole numbers"),
    ],
)
def test_a_wrong_row_among_many_is_named_and_the_others_are_read(text, message):
    rows = [(name, written) for name, written, _ in random_rows(100)]
    expected = dict(rle.runs_of_rows(rows, (1280, 1918)))
    for place in (0, 50, 100):
        spoilt = [*rows[:place], ("wrong", text), *rows[place:]]
        with pytest.raises(ValueError, match=f"^wrong: .*{message}"):
            list(rle.runs_of_rows(spoilt, (1280, 1918)))
        found = dict(rle.runs_or_error_of_rows(spoilt, (1280, 1918)))
        assert re.search(message, str(found.pop("wrong")))
        assert found.keys() == expected.keys()
        assert all(np.array_equal(found[name], expected[name]) for name in found)


def test_rows_that_are_wrong_apart_do_not_make_a_right_one():
    for first, second in (("1", "2"), ("1 ", "2"), ("1 2 3", "1"), ("1 2 5", "1 7 2")):
        found = [runs for _, runs in rle.runs_or_error_of_rows([(1, first), (2, second)], None)]
        assert isinstance(found[0], ValueError), (first, second)


def test_force_corners_off_changes_only_the_corners_and_not_its_input():
    mask = np.ones((3, 4), np.uint8)
    forced = rle.force_corners_off(mask)
    assert rle.encode(forced) == "2 10"
    assert mask.all()
    assert rle.encode_as_published(mask) == "2 10"
