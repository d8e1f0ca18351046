from pathlib import Path

import pytest

from carvana.errors import UserError
from tests.planning.plans import plan


def test_an_encoder_is_needed_unless_it_begins_at_random_or_is_none():
    assert plan().encoders.receipt("ternausnet") == ["results/full/encoders/vgg11.json"]
    assert plan().encoders.argument("ternausnet") == "--encoder-weights results/encoders/vgg11-bbd30ac9.pth"
    assert plan().encoders.receipt("unet_scratch") == []
    random = plan(encoder_weights={"source": "random"})
    assert (random.encoders.receipt("ternausnet"), random.encoders.argument("ternausnet")) == ([], "")


def test_two_random_beginnings_are_not_compared():
    assert plan().encoders.histories(["ternausnet"]) == ["results/full/models/ternausnet/fold0/history.csv"]
    with pytest.raises(UserError, match="nothing to compare"):
        plan(encoder_weights={"source": "random"}).encoders.histories(["ternausnet"])


def test_a_users_encoder_files_are_not_downloaded():
    own = plan(encoder_weights={"source": "folder", "folder": "/mine"})
    assert own.encoders.file("vgg11") == Path("/mine/vgg11-bbd30ac9.pth")
    assert own.encoders.url_argument("vgg11") == ""
    assert plan().encoders.url_argument("vgg11").endswith("/models/vgg11-bbd30ac9.pth")


def test_imported_weights_have_no_curve_to_compare():
    with pytest.raises(UserError, match="weights of ternausnet are imported, so there is no curve"):
        plan(weights={"ternausnet": "released"}).encoders.histories(["unet_vgg11", "ternausnet"])
