from types import SimpleNamespace

import numpy as np
import pytest

from carvana import rle
from carvana.errors import UserError
from carvana.geometry import SMALL
from carvana.maps.mapstore import MapWriter
from carvana.recipe_files import model_names
from carvana.report.analysis import analyse, disagreement, read_analysis, write_analysis
from carvana.report.galleries import Drawing
from carvana.report.out_of_fold_maps import opened_maps
from carvana.report.pictures import contours_on, data_address
from tests.report.runs import analysed_as

TRUTH = np.zeros(SMALL.image_size, np.uint8)
TRUTH[20:50, 15:75] = 1
AREA = 30 * 60


def maps(**changed):
    agreed = (TRUTH * 255).astype(np.uint8)
    return {model: changed.get(model, agreed) for model in model_names()}


def analysed(given, truth=TRUTH):
    return analyse("000000000001_01.jpg", "000000000001", 1, given, truth, SMALL, "released")


def test_models_that_agree_with_the_mask():
    row = analysed(maps())
    assert (row.ensemble, row.plain_mean, row.linknet34, row.without_albu) == (1, 1, 1, 1)
    assert (row.disagreement, row.missing, row.extra, row.rule_acted) == (0, 0, 0, 0)
    assert row.area_share == AREA / TRUTH.size


def test_what_all_models_contradict_counts_against_the_mask():
    wrong = TRUTH.copy()
    wrong[20:25, 15:75] = 0
    wrong[0, :5] = 1
    row = analysed(maps(), wrong)
    assert (row.missing, row.extra) == (300, 5)
    assert row.against == 305 / (AREA - 300 + 5)
    # One model that sides with the mask is enough for the pixels it sides on.
    row = analysed(maps(unet_vgg11=(wrong * 255).astype(np.uint8)), wrong)
    assert (row.missing, row.extra) == (0, 0)
    assert row.disagreement > 0


def test_leaving_a_member_out_leaves_his_recipes_out():
    nothing = np.zeros(SMALL.image_size, np.uint8)
    row = analysed(maps(unet_scratch=nothing, unet_vgg11=nothing))
    # 127.5, the mean of two full and two empty maps, is not car.
    assert (row.unet_scratch, row.unet_vgg11, row.ternausnet, row.plain_mean) == (0, 0, 1, 0)
    assert (row.without_asanakoy, row.without_ternaus, row.without_albu) == (1, 0, 0)


def test_models_that_differ_as_far_as_they_can_deviate_by_a_half():
    halves = {"a": np.zeros((2, 3), np.uint8), "b": np.full((2, 3), 255, np.uint8)}
    assert disagreement(halves) == pytest.approx(np.full((2, 3), 0.5))


def test_the_table_comes_back(drawn, tmp_path):
    images, stores, _ = drawn
    with opened_maps(stores, "released") as opened:
        write_analysis(images, opened, SMALL, 2, tmp_path / "analysis.csv")
    rows = read_analysis(tmp_path / "analysis.csv")
    assert tuple(row.img for row in rows) == images.manifest.names
    with opened_maps(stores, "released") as opened:
        again = [
            analyse(
                record.name,
                record.car,
                record.view,
                opened.of(record.name),
                images.mask(record.name),
                SMALL,
                "released",
            )
            for record in images.manifest
        ]
    assert rows == again
    (tmp_path / "analysis.csv").write_text("img,car\na,b\n")
    with pytest.raises(UserError, match="report` again"):
        read_analysis(tmp_path / "analysis.csv")


def test_a_model_without_maps_is_told(drawn):
    with pytest.raises(UserError, match="expected one store"), opened_maps(drawn[1][1:], "released"):
        pass


def test_maps_of_several_networks_are_not_out_of_fold(drawn, tmp_path):
    _, stores, _ = drawn
    summed = tmp_path / "summed.h5"
    with MapWriter(summed, ["a_01.jpg"], SMALL.image_size, "sums", model_names()[0], 2) as writer:
        writer.write("a_01.jpg", np.zeros(SMALL.image_size, np.uint16))
    with pytest.raises(UserError, match="expected one store"), opened_maps([summed, *stores[1:]], "released", True):
        pass


def test_contours_are_in_the_colours_that_the_key_says(drawn, tmp_path):
    images, stores, _ = drawn
    name = images.manifest.names[0]
    truth_HW, mask_HW = images.mask(name), np.roll(images.mask(name), 5, axis=0)
    with opened_maps(stores, "released") as maps:
        drawing = Drawing(images, maps, {name: rle.encode(mask_HW)}, tmp_path)
        (tile,) = drawing.masks([analysed_as(name)])
    assert tile.addresses == (data_address(contours_on(images.image(name), truth_HW, mask_HW)),)
    assert tile.addresses != (data_address(contours_on(images.image(name), mask_HW, truth_HW)),)


def test_where_the_rule_acts_the_ensemble_is_judged_with_it(monkeypatch):
    box = object()
    monkeypatch.setattr(
        "carvana.report.analysis.postprocess.apply", lambda *_: SimpleNamespace(mask=np.zeros_like(TRUTH), box=box)
    )
    row = analysed(maps())
    assert (row.rule_acted, row.ensemble, row.plain_mean) == (1, 0, 1)
