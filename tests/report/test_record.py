import json

from carvana.files import write_json, write_table
from carvana.grading.score_table import write_scores
from carvana.report.analysis import COLUMNS
from carvana.report.record import predictions, read_run
from carvana.revision import ROOT
from carvana.verification.document import Verification, write_verification


def test_predictions_of_shards_that_a_configuration_had_before_do_not_count(tmp_path):
    folder = tmp_path / "predictions/unet_vgg11"
    folder.mkdir(parents=True)
    for seconds, part in enumerate(("test-01-of-01", "test-01-of-02", "test-02-of-02")):
        (folder / f"{part}.json").write_text(json.dumps({"seconds": seconds}))
    found = predictions(tmp_path, ("ternausnet", "unet_vgg11"), ("test-01-of-02", "test-02-of-02"))
    assert [timings["seconds"] for timings in found] == [1, 2]


def test_each_network_has_the_dice_of_its_own_fold_and_cars_their_make_and_year(tmp_path):
    write_scores([], tmp_path / "scores.json", tmp_path / "scores.csv")
    write_table(tmp_path / "analysis.csv", COLUMNS, [])
    write_verification(Verification((), {}), tmp_path / "verification.json", tmp_path / "verification.xml")
    write_table(
        tmp_path / "oof/ternausnet/dice.csv", ("img", "fold", "dice"), [("a", 0, 0.5), ("b", 1, 0.7), ("c", 1, 0.9)]
    )
    write_json(tmp_path / "oof/ternausnet/timings.json", {"seconds": 1})
    for fold in (0, 1):
        (tmp_path / f"models/ternausnet/fold{fold}").mkdir(parents=True)
        (tmp_path / f"models/ternausnet/fold{fold}/recipe.yaml").write_text("run: {weights: released}\n")
    write_table(tmp_path / "metadata.csv", ("id", "year", "make"), [("a", "2012.0", "Audi"), ("b", "", "")])
    run = read_run(
        tmp_path,
        "released",
        {"ternausnet": (0, 1)},
        (),
        ROOT / "config/published.yaml",
        tmp_path / "metadata.csv",
        None,
    )
    assert [(network.fold, network.dice, network.trained) for network in run.networks] == [
        (0, (0.5,), False),
        (1, (0.7, 0.9), False),
    ]
    assert run.metadata == {"a": ("Audi", "2012"), "b": ("not given", "not given")}
