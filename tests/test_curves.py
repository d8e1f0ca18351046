import cv2
import pytest

from carvana.curves import draw_curves, read_dice
from carvana.errors import UserError

TERNAUS = "epoch,learning_rate,valid_loss,valid_dice\n1,0.0001,0.5,0.90\n2,0.0001,0.4,0.95\n"
ALBU = "epoch,learning_rate,valid_soft_dice,valid_hard_dice\n1,0.0001,0.7,0.80\n"


def test_either_members_dice_is_found(tmp_path):
    (tmp_path / "a.csv").write_text(TERNAUS)
    (tmp_path / "b.csv").write_text(ALBU)
    assert read_dice(tmp_path / "a.csv") == ([1, 2], [0.90, 0.95])
    assert read_dice(tmp_path / "b.csv") == ([1], [0.80])


def test_a_table_without_epochs_is_named(tmp_path):
    (tmp_path / "a.csv").write_text("epoch,valid_dice\n")
    with pytest.raises(UserError, match=r"a\.csv has no epoch"):
        read_dice(tmp_path / "a.csv")


def test_a_panel_for_every_model(tmp_path):
    (tmp_path / "a.csv").write_text(TERNAUS)
    curves = {
        ("ternausnet", "ImageNet"): tmp_path / "a.csv",
        ("ternausnet", "random weights"): tmp_path / "a.csv",
    }
    draw_curves(curves, tmp_path / "one.png")
    draw_curves({**curves, ("unet_vgg11", "ImageNet"): tmp_path / "a.csv"}, tmp_path / "two.png")
    one, two = (cv2.imread(str(tmp_path / name)) for name in ("one.png", "two.png"))
    assert one is not None and two is not None
    assert one.shape[0] == two.shape[0]
    assert two.shape[1] == 2 * one.shape[1]
    assert one.min() < 128
