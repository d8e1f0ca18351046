import pytest

from carvana.errors import UserError
from carvana.histories import dice_of, read_history, selected_epoch

TERNAUS = (
    "epoch,learning_rate,valid_loss,valid_dice,selected\n1,1e-4,0.5,0.90,1\n2,1e-4,0.4,0.95,1\n3,1e-4,0.5,0.94,0\n"
)
ALBU = "epoch,valid_soft_dice,valid_hard_dice,selected\n1,0.7,0.80,1\n"


def test_either_members_dice_is_found(tmp_path):
    (tmp_path / "a.csv").write_text(TERNAUS)
    (tmp_path / "b.csv").write_text(ALBU)
    assert dice_of(read_history(tmp_path / "a.csv")) == [0.90, 0.95, 0.94]
    assert dice_of(read_history(tmp_path / "b.csv")) == [0.80]


def test_the_last_selected_epochs_weights_are_kept(tmp_path):
    (tmp_path / "a.csv").write_text(TERNAUS)
    assert selected_epoch(read_history(tmp_path / "a.csv")) == 2


@pytest.mark.parametrize("text", ["epoch,valid_dice\n", "epoch,valid_loss\n1,0.5\n", ""])
def test_a_table_without_a_dice_is_named(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(UserError, match=r"a\.csv has no epoch"):
        read_history(tmp_path / "a.csv")
