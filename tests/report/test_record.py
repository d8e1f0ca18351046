import json

from carvana.report.record import predictions


def test_predictions_of_shards_that_a_configuration_had_before_do_not_count(tmp_path):
    folder = tmp_path / "predictions/unet_vgg11"
    folder.mkdir(parents=True)
    for seconds, part in enumerate(("test-01-of-01", "test-01-of-02", "test-02-of-02")):
        (folder / f"{part}.json").write_text(json.dumps({"seconds": seconds}))
    found = predictions(tmp_path, ("ternausnet", "unet_vgg11"), ("test-01-of-02", "test-02-of-02"))
    assert [timings["seconds"] for timings in found] == [1, 2]
