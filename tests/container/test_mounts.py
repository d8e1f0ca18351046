"""What of the machine a container sees, without an engine."""

import json
import shutil
import stat
from pathlib import Path
from types import MappingProxyType

import pytest

from carvana.container.command import needs_of
from carvana.container.launcher import _user
from carvana.container.mounts import folders
from carvana.container.name import image_name
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


def test_a_pair_is_a_copy_that_its_owner_alone_may_read(tmp_path):
    given = {"KAGGLE_USERNAME": "someone", "KAGGLE_KEY": "0123456789abcdef"}
    with credentials(given, tmp_path, Path("/home/carvana")) as (mount,):
        assert mount["Target"] == "/home/carvana/.kaggle/kaggle.json"
        path = Path(mount["Source"])
        assert json.loads(path.read_text()) == {"username": "someone", "key": "0123456789abcdef"}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


def test_what_a_configuration_names_is_seen_and_only_what_is_downloaded_may_be_written(tmp_path):
    def seen(environment=MappingProxyType({}), **changes):
        found = folders(ROOT, plan(**changes).config, environment)
        return {folder.what: (folder.path, folder.written) for folder in found}

    own = {"source": "folder", "folder": str(tmp_path)}
    assert seen(data={**own, "source": "kaggle"})["data.folder"][1] is True
    assert seen(data=own)["data.folder"] == (tmp_path, False)
    assert "data.folder" not in seen(data={"source": "synthetic"})
    assert seen(encoder_weights=own)["encoder_weights.folder"] == (tmp_path, False)
    assert seen(data={"exclude": str(tmp_path / "marks.csv")})["data.exclude"] == (tmp_path / "marks.csv", False)
    assert seen({"SNAKEMAKE_OUTPUT_CACHE": str(tmp_path)})["SNAKEMAKE_OUTPUT_CACHE"] == (tmp_path, True)
    assert not {"encoder_weights.folder", "data.exclude", "SNAKEMAKE_OUTPUT_CACHE", "store"} & seen().keys()


@pytest.mark.parametrize("file", ["envs/requirements.txt", "docker/Dockerfile"])
def test_another_lock_or_dockerfile_is_another_image(tmp_path, file):
    for name in ("envs", "docker"):
        shutil.copytree(ROOT / name, tmp_path / name)
    before = image_name(tmp_path)
    (tmp_path / file).write_text((tmp_path / file).read_text() + "# more\n")
    assert image_name(tmp_path) != before == image_name(ROOT)


def test_a_builds_arguments_count_but_for_where_pip_looks():
    assert image_name(ROOT, {"BASE_IMAGE": "another"}) != image_name(ROOT)
    assert image_name(ROOT, {"PIP_INDEX_URL": "https://a.mirror"}) == image_name(ROOT)


@pytest.mark.parametrize(
    ("command", "asks"),
    [
        (["kaggle", "competitions"], True),
        (["snakemake", "leaderboard", "--config", "data={source: synthetic}"], True),
        (["snakemake", "--config", "data={source: kaggle}"], True),
        (["snakemake", "leaderboard", "-n"], False),
        (["snakemake", "--config", "data={source: synthetic}"], False),
        (["python", "leaderboard"], False),
    ],
)
def test_credentials_go_where_kaggle_may_be_asked(command, asks):
    assert needs_of(command, ROOT).kaggle is asks


def test_a_rootless_engines_root_is_the_caller(monkeypatch):
    monkeypatch.setattr("os.getuid", lambda: 12345)
    monkeypatch.setattr("os.getgid", lambda: 54321)
    assert _user(["name=seccomp,profile=builtin"]) == "12345:54321"
    assert _user(["name=seccomp,profile=builtin", "name=rootless"]) == "0:0"
