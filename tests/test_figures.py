import pytest

from carvana.errors import UserError
from carvana.figures import figures_of

SCORES = """level,name,out_of_fold
baseline,mean_mask,0.6
model,ternausnet,0.9
ensemble,ensemble,0.95
"""


def history(folder, *losses):
    folder.mkdir(parents=True)
    rows = "".join(f"{epoch},{loss}\n" for epoch, loss in enumerate(losses, start=1))
    (folder / "history.csv").write_text(f"epoch,train_loss\n{rows}")


def test_a_runs_figures_are_its_dice_and_its_last_losses(tmp_path):
    (tmp_path / "scores.csv").write_text(SCORES)
    history(tmp_path / "models/ternausnet/fold0", 0.9, 0.5)
    history(tmp_path / "models/ternausnet/fold1", 0.8, 0.3)
    assert figures_of(tmp_path) == {
        "out_of_fold/model/ternausnet": 0.9,
        "out_of_fold/ensemble/ensemble": 0.95,
        "training_loss/ternausnet": pytest.approx(0.4),
    }


def test_an_unfinished_run_is_told(tmp_path):
    with pytest.raises(UserError, match="finish the run"):
        figures_of(tmp_path)


@pytest.mark.parametrize("scores", ["level,name\nmodel,a\n", SCORES.replace("0.9\n", "good\n")])
def test_a_damaged_table_is_told(tmp_path, scores):
    (tmp_path / "scores.csv").write_text(scores)
    with pytest.raises(UserError, match="damaged"):
        figures_of(tmp_path)


def test_a_history_without_an_epoch_is_told(tmp_path):
    (tmp_path / "scores.csv").write_text(SCORES)
    history(tmp_path / "models/ternausnet/fold0")
    with pytest.raises(UserError, match="damaged"):
        figures_of(tmp_path)
