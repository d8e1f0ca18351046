import base64
import json

import pytest

from carvana.errors import UserError
from carvana.kaggle.credentials import find_credentials

PAIR = {"username": "someone", "key": "0123456789abcdef"}


@pytest.fixture
def home(tmp_path):
    (tmp_path / ".kaggle").mkdir()
    return tmp_path


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path


def variables(username="someone", key="0123456789abcdef"):
    return {"KAGGLE_USERNAME": username, "KAGGLE_KEY": key}


def test_a_token_in_a_variable_is_stripped(home):
    found = find_credentials({"KAGGLE_API_TOKEN": " KGAT_abc \n"}, home)
    assert (found.source, found.environment) == ("KAGGLE_API_TOKEN", {"KAGGLE_API_TOKEN": "KGAT_abc"})
    assert found.secrets == ("KGAT_abc",)


def test_a_token_variable_may_name_a_file(home):
    path = write(home / "mine", "KGAT_abc\n")
    found = find_credentials({"KAGGLE_API_TOKEN": str(path)}, home)
    assert found.environment == {"KAGGLE_API_TOKEN": "KGAT_abc"}
    write(path, "\n")
    with pytest.raises(UserError, match="the file that KAGGLE_API_TOKEN names is empty"):
        find_credentials({"KAGGLE_API_TOKEN": str(path)}, home)


@pytest.mark.parametrize("name", ["access_token", "access_token.txt"])
def test_a_token_file(home, name):
    write(home / ".kaggle" / name, "KGAT_abc\n")
    found = find_credentials({}, home)
    assert (found.source, found.environment) == (f"~/.kaggle/{name}", {"KAGGLE_API_TOKEN": "KGAT_abc"})


def test_a_notebooks_token_file(home):
    path = write(home / "v1", "KGAT_abc")
    notebook = {"KAGGLE_API_V1_TOKEN": str(path), "KAGGLE_KERNEL_RUN_TYPE": "Batch", "KAGGLE_DATA_PROXY_URL": "x"}
    assert find_credentials(notebook, home).environment == {"KAGGLE_API_TOKEN": "KGAT_abc"}
    with pytest.raises(UserError, match="no Kaggle credentials"):
        find_credentials({"KAGGLE_API_V1_TOKEN": str(path)}, home)


def test_a_user_name_and_a_key_in_variables(home):
    found = find_credentials(variables(key="0123456789abcdef\n"), home)
    assert found.environment == variables()
    assert base64.b64encode(b"someone:0123456789abcdef").decode() in found.secrets


@pytest.mark.parametrize(
    ("folder", "environment"),
    [(".kaggle", {}), ("elsewhere", {"KAGGLE_CONFIG_DIR": "{home}/elsewhere"})],
)
def test_kaggle_json(home, folder, environment):
    write(home / folder / "kaggle.json", json.dumps({**PAIR, "key": PAIR["key"] + "\n"}))
    found = find_credentials({name: value.format(home=home) for name, value in environment.items()}, home)
    assert found.environment == variables()
    assert found.source.endswith(f"{folder}/kaggle.json")
    assert found.warning == ""


@pytest.mark.parametrize("environment", [{}, {"XDG_CONFIG_HOME": "{home}/.config"}])
def test_kaggle_json_where_newer_clients_put_it(tmp_path, environment):
    write(tmp_path / ".config" / "kaggle" / "kaggle.json", json.dumps(PAIR))
    given = {name: value.format(home=tmp_path) for name, value in environment.items()}
    assert find_credentials(given, tmp_path).environment == variables()


def test_a_variable_replaces_its_part_of_kaggle_json_as_in_the_client(home):
    write(home / ".kaggle" / "kaggle.json", json.dumps(PAIR))
    found = find_credentials({"KAGGLE_KEY": "fedcba"}, home)
    assert found.environment == variables(key="fedcba")
    assert "kaggle.json and KAGGLE_KEY" in found.source


def test_a_login(home):
    write(home / ".kaggle" / "credentials.json", json.dumps({"refresh_token": "rrrr", "access_token": "aaaa"}))
    found = find_credentials({}, home)
    assert found.environment == {}
    assert found.secrets == ("rrrr", "aaaa")


def test_the_clients_order(home):
    write(home / ".kaggle" / "credentials.json", json.dumps({"refresh_token": "rrrr"}))
    assert find_credentials({}, home).source == "~/.kaggle/credentials.json"
    write(home / ".kaggle" / "kaggle.json", json.dumps(PAIR))
    assert find_credentials({}, home).source.endswith("kaggle.json")
    assert find_credentials(variables(), home).source == "KAGGLE_USERNAME and KAGGLE_KEY"
    write(home / ".kaggle" / "access_token", "KGAT_abc")
    assert find_credentials(variables(), home).source == "~/.kaggle/access_token"
    assert find_credentials({**variables(), "KAGGLE_API_TOKEN": "KGAT_def"}, home).source == "KAGGLE_API_TOKEN"


def test_a_file_that_others_can_read_is_warned_of(home):
    path = write(home / ".kaggle" / "kaggle.json", json.dumps(PAIR))
    path.chmod(0o644)
    assert f"chmod 600 {path}" in find_credentials({}, home).warning


def test_an_empty_token_gives_way_as_in_the_client(home):
    assert find_credentials({**variables(), "KAGGLE_API_TOKEN": ""}, home).environment == variables()


@pytest.mark.parametrize(
    ("environment", "files", "told"),
    [
        ({}, {}, "no Kaggle credentials were found; make a token at"),
        ({"KAGGLE_API_TOKEN": " "}, {}, r"no Kaggle credentials were found \(KAGGLE_API_TOKEN is empty\)"),
        ({}, {"access_token": "\n"}, r"\(~/.kaggle/access_token is empty\)"),
        ({"KAGGLE_API_TOKEN": ""}, {"access_token": ""}, r"\(KAGGLE_API_TOKEN, ~/.kaggle/access_token are empty\)"),
        (variables(key=""), {}, "KAGGLE_KEY is set but empty"),
        (variables(username=" "), {}, "KAGGLE_USERNAME is set but empty"),
        ({"KAGGLE_KEY": ""}, {"kaggle.json": json.dumps(PAIR)}, "KAGGLE_KEY is set but empty"),
        ({"KAGGLE_KEY": "hush"}, {}, "KAGGLE_KEY is set and KAGGLE_USERNAME is not"),
        (variables(key="hush hush"), {}, "the key in .* is malformed"),
        (variables(key='{"key": "hush"}'), {}, "the key in .* is malformed"),
        (variables(username="someone:hush"), {}, "holds a colon"),
        ({"KAGGLE_API_TOKEN": "hush\nhush"}, {}, "KAGGLE_API_TOKEN is malformed"),
        ({"KAGGLE_API_TOKEN": "hüsh"}, {}, "KAGGLE_API_TOKEN is malformed"),
        ({}, {"access_token": "hush hush"}, "~/.kaggle/access_token is malformed"),
        ({}, {"kaggle.json": ""}, "kaggle.json is empty"),
        ({}, {"kaggle.json": '{"username": "someone", "key": "hush'}, "kaggle.json is malformed: expected one JSON"),
        ({}, {"kaggle.json": '["hush"]'}, "kaggle.json is malformed"),
        ({}, {"kaggle.json": '{"username": "someone"}'}, "kaggle.json has no key or an empty one"),
        ({}, {"kaggle.json": '{"username": "", "key": "hush"}'}, "kaggle.json has no username or an empty one"),
        ({}, {"credentials.json": "{}"}, "no refresh_token; run `kaggle auth login` again"),
    ],
)
def test_what_is_empty_or_malformed_is_named_and_not_shown(home, environment, files, told):
    for name, text in files.items():
        write(home / ".kaggle" / name, text)
    with pytest.raises(UserError, match=told) as caught:
        find_credentials(environment, home)
    assert "hush" not in str(caught.value)
    assert "hüsh" not in str(caught.value)


def test_a_file_of_bytes_is_told(home):
    (home / ".kaggle" / "access_token").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="cannot be read: it is not text"):
        find_credentials({}, home)


def test_nothing_secret_is_in_the_representation(home):
    found = find_credentials(variables(key="hushhush"), home)
    assert "hushhush" not in repr(found)


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, True), (0o604, True)])
def test_a_file_that_the_group_or_anybody_can_read_is_warned_of(home, mode, warned):
    path = write(home / ".kaggle" / "kaggle.json", json.dumps(PAIR))
    path.chmod(mode)
    assert (f"chmod 600 {path}" in find_credentials({}, home).warning) is warned
