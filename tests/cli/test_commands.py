"""The commands of `python -m carvana`, each run as a user runs it."""

import subprocess
import sys

import pytest

UNCHECKED = "whether these are Kaggle's images, in its order, was not checked (give --names)"
VIEWS = [f"03a857ce842d_{view:02}.jpg" for view in range(1, 17)]


def carvana(*arguments) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "importtime", "-m", "carvana", *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert " torch" not in run.stderr
    run.stderr = "".join(line for line in run.stderr.splitlines(keepends=True) if not line.startswith("import time:"))
    return run


def table(path, rows, columns="img,rle_mask"):
    path.write_text("\n".join([columns, *(",".join(row) for row in rows), ""]))
    return path


@pytest.fixture
def submission(tmp_path):
    """A few pixels of the first row each, and of the last image one in the middle."""
    masks = [f"{number} 2" for number in range(2, 18)]
    masks[-1] += " 1227521 1"
    return table(tmp_path / "submission.csv", list(zip(VIEWS, masks, strict=True)))


@pytest.fixture
def names(tmp_path):
    return table(tmp_path / "sample_submission.csv", [(name, "1 1") for name in VIEWS])


def test_a_valid_file_is_said_to_be_valid(submission, names):
    run = carvana("validate", submission, "--names", names)
    assert (run.returncode, run.stdout, run.stderr) == (0, f"{submission}: 16 images, valid\n", "")


@pytest.mark.parametrize(("mask", "row"), [("5000 17", 3), ("", 0)])
def test_masks_of_a_small_run_or_of_nothing_are_noticed(tmp_path, mask, row):
    file = table(tmp_path / "s.csv", [(name, mask) for name in VIEWS])
    run = carvana("validate", file)
    assert (run.returncode, run.stdout) == (0, f"{file}: 16 images, valid; {UNCHECKED}\n")
    assert run.stderr.startswith(f"warning: no mask reaches below row {row} of 1280: are these masks of")


def test_without_names_it_is_said_what_was_not_checked(submission):
    run = carvana("validate", submission)
    assert run.returncode == 0
    assert run.stdout == f"{submission}: 16 images, valid; {UNCHECKED}\n"


def test_the_geometry_decides_where_an_image_ends(tmp_path):
    file = table(tmp_path / "s.csv", [(name, "24320 2") for name in VIEWS])
    assert carvana("validate", file).returncode == 0
    run = carvana("validate", file, "--geometry", "small")
    assert run.returncode == 1
    assert run.stderr.startswith(f"error: {file} is not a valid submission; 16 problems:\n  line 2: {VIEWS[0]}: ")


def test_a_wrong_file_is_one_message_and_exit_code_1(tmp_path, names):
    (tmp_path / "s.csv.gz").write_text("<html>Sign in</html>")
    run = carvana("validate", tmp_path / "s.csv.gz", "--names", names)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith(f"error: {tmp_path}/s.csv.gz is a web page")
    assert len(run.stderr.splitlines()) == 1


def test_a_folder_in_place_of_a_table_is_told(submission, tmp_path):
    for arguments in (
        ("validate", tmp_path),
        ("validate", submission, "--names", tmp_path),
        ("score", tmp_path, "--truth", submission),
    ):
        run = carvana(*arguments)
        assert (run.returncode, run.stdout) == (1, "")
        assert run.stderr == f"error: {tmp_path} is a folder; name a table of masks, .csv, .csv.gz or .zip\n"


def test_the_score_is_the_mean_dice_of_each_part(submission, tmp_path):
    truth = table(
        tmp_path / "solution.csv",
        # Two pixels of two are right, one of two, none of one; the fourth does not count.
        [
            (VIEWS[0], "2 2", "Public"),
            (VIEWS[1], "4 2", "Public"),
            (VIEWS[2], "9 1", "Private"),
            (VIEWS[3], "", "Ignored"),
        ],
        "img,rle_mask,Usage",
    )
    run = carvana("score", submission, "--truth", truth)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == [
        "part     images  mean Dice",
        "public   2       0.750000",
        "private  1       0.000000",
    ]


def test_two_empty_masks_agree(tmp_path):
    submission = table(tmp_path / "s.csv", [(VIEWS[0], ""), (VIEWS[1], "3 2")])
    truth = table(tmp_path / "t.csv", [(VIEWS[0], ""), (VIEWS[1], "1 2")])
    run = carvana("score", submission, "--truth", truth)
    assert run.stdout.splitlines()[1:] == ["all   2       0.500000"]


def test_an_image_without_a_mask_cannot_be_scored(submission, tmp_path):
    truth = table(tmp_path / "train_masks.csv", [("0123456789ab_01.jpg", "2 2")])
    run = carvana("score", submission, "--truth", truth)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("error: 1 images to score have no mask (0123456789ab_01.jpg)")


@pytest.mark.parametrize("arguments", [(), ("--help",), ("validate", "--help"), ("score", "--help")])
def test_help(arguments):
    run = carvana(*arguments)
    assert run.returncode == (0 if arguments else 2)
    assert "usage: python -m carvana" in run.stdout + run.stderr
