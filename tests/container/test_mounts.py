"""What of the machine a container sees, without an engine."""

import json

import pytest

from carvana.container.mounts import folders
from carvana.container.secrets import credentials
from carvana.revision import ROOT
from tests.planning.plans import plan


@pytest.mark.parametrize("weights", ["released", {"ternausnet": "released"}])
def test_checkpoints_that_are_imported_are_seen(weights, tmp_path):
    def seen(weights):
        config = plan(weights=weights, released={"folder": str(tmp_path), "folds": {}, "url": ""}).config
        return [folder.path for folder in folders(ROOT, config, {})]

    assert tmp_path in seen(weights)
    assert tmp_path not in seen("trained")


def test_a_login_is_the_callers_own_file_since_its_token_is_renewed(tmp_path):
    file = tmp_path / ".kaggle" / "credentials.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"refresh_token": "r", "username": "me"}))
    with credentials({}, tmp_path, ROOT) as (mount,):
        assert (mount["Source"], mount["ReadOnly"]) == (str(file), False)


def test_a_token_is_a_copy_that_is_only_read(tmp_path):
    with credentials({"KAGGLE_API_TOKEN": "KGAT_0123456789abcdef"}, tmp_path, ROOT) as (mount,):
        assert mount["Source"] != str(tmp_path) and mount["ReadOnly"]
