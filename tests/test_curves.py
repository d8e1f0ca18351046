import cv2

from carvana.curves import draw_curves

TERNAUS = "epoch,learning_rate,valid_loss,valid_dice\n1,0.0001,0.5,0.90\n2,0.0001,0.4,0.95\n"


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
