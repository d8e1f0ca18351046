import pytest

from carvana.errors import UserError
from carvana.figures.of_run import bands_of, figures_of

SCORES = """level,name,out_of_fold
baseline,mean_mask,0.6
model,ternausnet,0.9
ensemble,ensemble,0.95
"""


def history(folder, *losses):
    folder.mkdir(parents=True)
    rows = "".join(f"{epoch},{loss}\n" for epoch, loss in enumerate(losses, start=1))
    (folder / "history.csv").write_text(f"epoch,train_loss\n{rows}")


def dice_of_images(results):
    (results / "oof/ternausnet").mkdir(parents=True)
    (results / "oof/ternausnet/dice.csv").write_text("img,fold,dice\na,0,0.5\nb,0,0.7\nc,1,0.9\n")


def test_a_runs_figures_are_its_dice_and_its_last_losses(tmp_path):
    (tmp_path / "scores.csv").write_text(SCORES)
    history(tmp_path / "models/ternausnet/fold0", 0.9, 0.5)
    history(tmp_path / "models/ternausnet/fold1", 0.8, 0.3)
    dice_of_images(tmp_path)
    # Of a configuration with more folds and models.
    history(tmp_path / "models/ternausnet/fold2", 0.1)
    history(tmp_path / "models/unet_scratch/fold0", 0.1)
    assert figures_of(tmp_path) == {
        "out_of_fold/fold/ternausnet/0": pytest.approx(0.6),
        "out_of_fold/fold/ternausnet/1": 0.9,
        "out_of_fold/model/ternausnet": 0.9,
        "out_of_fold/ensemble/ensemble": 0.95,
        "training_loss/ternausnet": pytest.approx(0.4),
    }


def test_an_unfinished_run_is_told(tmp_path):
    with pytest.raises(UserError, match=r"scores\.csv cannot be read \(No such file.*; finish the run"):
        figures_of(tmp_path)


@pytest.mark.parametrize("scores", ["level,name\nmodel,a\n", SCORES.replace("0.9\n", "good\n")])
def test_a_damaged_table_is_told(tmp_path, scores):
    (tmp_path / "scores.csv").write_text(scores)
    with pytest.raises(UserError, match=r"scores\.csv cannot be read \(('out_of_fold' is missing|could not convert)"):
        figures_of(tmp_path)


def test_a_history_without_an_epoch_is_told(tmp_path):
    (tmp_path / "scores.csv").write_text(SCORES)
    dice_of_images(tmp_path)
    history(tmp_path / "models/ternausnet/fold0")
    with pytest.raises(UserError, match=r"history\.csv cannot be read"):
        figures_of(tmp_path)


def test_networks_of_a_recipe_share_their_spread_and_a_models_dice_is_the_mean_of_its_folds():
    def run(**values):
        folds = {f"out_of_fold/fold/{model}/{fold}": values[model] for model in values for fold in (0, 1)}
        of_models = {f"out_of_fold/model/{model}": value for model, value in values.items()}
        merged = {"out_of_fold/recipe/linknet34": values["linknet34_fma_s44"] + 0.01}
        alone = {"out_of_fold/member/ternaus": values["ternausnet"]}
        return folds | of_models | merged | alone | {"training_loss/ternausnet": 1.2}

    draws = [(0.90, 0.70, 0.80), (0.91, 0.74, 0.80), (0.92, 0.72, 0.84), (0.90, 0.70, 0.80), (0.92, 0.74, 0.86)]
    names = ("ternausnet", "linknet34_fma_s44", "linknet34_fma_s88")
    bands = bands_of([run(**dict(zip(names, draw, strict=True))) for draw in draws])
    assert bands["out_of_fold/fold/ternausnet/0"].freedom == 8
    first, second = (bands[f"out_of_fold/fold/linknet34_fma_{name}/1"] for name in ("s44", "s88"))
    assert first.freedom == second.freedom == 16 and first.deviation == second.deviation
    model = bands["out_of_fold/model/linknet34_fma_s44"]
    assert model.deviation == pytest.approx(first.deviation / 2**0.5) and model.freedom == 16
    assert bands["out_of_fold/member/ternaus"] == bands["out_of_fold/model/ternausnet"]
    assert bands["out_of_fold/recipe/linknet34"].freedom == 4
    assert bands["training_loss/ternausnet"].low == bands["training_loss/ternausnet"].high == pytest.approx(1.2)
