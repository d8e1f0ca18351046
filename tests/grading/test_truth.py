import numpy as np
import pytest
from PIL import Image

from carvana.data.manifest import ImageRecord, Manifest
from carvana.errors import UserError
from carvana.geometry import SMALL
from carvana.grading.truth import hidden_truth, training_truth


def test_training_truth_reads_the_masks(tmp_path):
    mask = np.zeros((4, 6), np.uint8)
    mask[1, 2:5] = 1
    Image.fromarray(mask * 255).save(tmp_path / "m.png")
    record = ImageRecord("a_01.jpg", "a", 1, 1, 6, 4, "", "a.jpg", str(tmp_path / "m.png"), "", 3)
    np.testing.assert_array_equal(training_truth(Manifest((record,)))["a_01.jpg"], [[9, 12]])


def test_hidden_truth_is_split_by_usage(tmp_path):
    path = tmp_path / "solution.csv"
    path.write_text("img,rle_mask,usage\np,1 2,Public\nq,,Private\nx,3 3,Ignored\n")
    truth = hidden_truth(path, SMALL)
    assert {usage: list(images) for usage, images in truth.items()} == {"Public": ["p"], "Private": ["q"]}
    np.testing.assert_array_equal(truth["Public"]["p"], [[1, 3]])
    assert len(truth["Private"]["q"]) == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("img,rle_mask\np,1 2\n", "'usage' is not in"),
        ("img,rle_mask,usage\np,1 2,public\n", "line 2: the usage 'public'; there are Public, Private, Ignored"),
        ("img,rle_mask,usage\np,1,Public\n", "p: the RLE has 1 numbers"),
        ("img,rle_mask,usage\nq,1 2,Public\np,1 2\n", "line 3: 2 values, expected 3"),
        ("img,rle_mask,usage\np,1 2,Public\np,1 2,Private\n", "line 3: p comes a second time"),
    ],
)
def test_a_broken_hidden_truth_is_refused(tmp_path, text, reason):
    (tmp_path / "solution.csv").write_text(text)
    with pytest.raises(UserError, match=f"not a hidden truth .{reason}"):
        hidden_truth(tmp_path / "solution.csv", SMALL)
    with pytest.raises(UserError, match="hidden truth, or none"):
        hidden_truth(tmp_path / "absent.csv", SMALL)
    with pytest.raises(UserError, match="is a folder; name a table of masks"):
        hidden_truth(tmp_path, SMALL)
