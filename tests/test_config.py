import math
from datetime import date
from pathlib import Path

import pytest
import yaml
from snakemake.cli import parse_config

from carvana.config import PRESENTED, SHARED, check_config, load_config
from carvana.errors import UserError
from carvana.planning.plan import Plan
from carvana.revision import ROOT
from carvana.yaml_text import of_command_line

CONFIG = ROOT / "config"


def changed(**changes):
    config = yaml.safe_load((CONFIG / "config.yaml").read_text())
    for dotted, value in changes.items():
        section, *rest = dotted.split("__")
        if rest:
            config[section][rest[0]] = value
        else:
            config[section] = value
    return config


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"threads": "none"}, "threads: 'none' is not of type 'integer'"),
        ({"folds": 1}, "folds: 1 is less than the minimum of 2"),
        ({"epochs__ternausnet": 0}, "epochs.ternausnet: 0 is less than the minimum of 1"),
        ({"members": ["kaggler"]}, "members.0: 'kaggler' is not one of"),
        ({"run": "../elsewhere"}, "run: '../elsewhere' cannot be used; write letters, digits, dots, _ and -,"),
        (
            {"data__sauce": 1},
            "data: unknown key sauce; known are source, folder, parallel_downloads, exclude",
        ),
        (
            {"encoder_weights__url": "ftp://x"},
            "encoder_weights.url: 'ftp://x' cannot be used; write an address that begins w",
        ),
        ({"released__url": "https://x/y\n"}, r"released.url: 'https://x/y\n' cannot be used; write an address"),
        ({"run": "abc\n"}, r"run: 'abc\n' cannot be used; write letters"),
        ({"run": "a" * 300}, "run: 300 characters are too many; write at most 200"),
        ({"run": "store"}, "run: results/store is for what all runs share; choose another name"),
        ({"run": "submitted"}, "run: results/submitted is for what all runs share"),
        ({"run": "encoders"}, "run: results/encoders is for what all runs share"),
        (
            {"run": "tiny-presented"},
            "run: tiny-presented is the folder of tiny in the presented edition; choose another",
        ),
        ({"store": "results/full"}, "store: results/full is the folder of the run; name another one"),
        ({"competition": "abc\n"}, r"competition: 'abc\n' cannot be used; write small letters"),
        ({"released__folds": {"ternausnet": ["0\n"]}}, r"released.folds.ternausnet.0: '0\n' cannot be used; write nu"),
        ({"results": "a{b}"}, "results: 'a{b}' cannot be used; write a path without braces"),
        ({"results": "a<b>"}, "results: 'a<b>' cannot be used; write a path without braces"),
        ({"results": "a\nb"}, r"results: 'a\nb' cannot be used; write a path without braces"),
        ({"results": "-a"}, "results: '-a' cannot be used; write a path without braces"),
        ({"results": "a,b"}, "results: 'a,b' cannot be used; write a path without commas"),
        ({"results": None}, "results: None is not of type 'string'"),
        ({"data__exclude": "a{b}.csv"}, "data.exclude: 'a{b}.csv' cannot be used; write a path without braces"),
        (
            {"store": "~/store"},
            "store: '~/store' cannot be used; write a path without braces, < > or control characters t",
        ),
        ({"results": str(ROOT / "README.md")}, f"results: {ROOT}/README.md is no folder; name one, which need not be"),
        ({"results": f"{ROOT}/README.md/x"}, f"results: {ROOT}/README.md is no folder; name one, which need not be"),
        ({"results": str(ROOT), "run": "README.md"}, f"results: {ROOT}/README.md is no folder; name one"),
        ({"store": str(ROOT / "README.md")}, f"store: {ROOT}/README.md is no folder; name one, which need not be"),
        ({"results": "a" * 300}, f"results: {'a' * 300}/full cannot be used (File name too long); name another folder"),
        ({"run": 2024}, "run: 2024 is not text; write it in quotes, in an overlay (--configfile)"),
        ({"run": date(2024, 1, 31)}, "run: 2024-01-31 is not text; write it in quotes, in an overlay (--configfile)"),
        ({"store": 1.5}, "store: 1.5 is not text; write it in quotes, in an overlay (--configfile)"),
        ({"quiet": "maybe"}, "quiet: 'maybe' is not of type 'boolean'"),
        ({"threads": "2017-13-45"}, "threads: '2017-13-45' is not of type 'integer'"),
        ({"quiet": "[true"}, "quiet: '[true' is not of type 'boolean'"),
        ({"shards": 2.0}, "shards: 2.0 is not of type 'integer'; write 2"),
        ({"seed": 1.0}, "seed: 1.0 is not of type 'integer'; write 1"),
        ({"workers": 0.0}, "workers: 0.0 is not of type 'integer'; write 0"),
        ({"epochs__unet_vgg11": 1.0}, "epochs.unet_vgg11: 1.0 is not of type 'integer', 'null'; write 1"),
        ({"epochs__unet_vgg11": "1.0"}, "epochs.unet_vgg11: '1.0' is not of type 'integer', 'null'; write 1"),
        ({"gpus_per_training__ternausnet": 2.0}, "gpus_per_training.ternausnet: 2.0 is not of type 'integer'; write 2"),
        ({"released__folds": {"ternausnet": [0.0]}}, "released.folds.ternausnet.0: 0.0 is not of type 'integer', 's"),
        ({"save_minutes": math.nan}, "save_minutes: nan is not of type 'number'; write a finite number"),
        ({"save_minutes": math.inf}, "save_minutes: inf is not of type 'number'; write a finite number"),
        ({"pseudo_labels__precondition": math.nan}, "pseudo_labels.precondition: nan is not of type 'number', 'null';"),
        ({"pseudo_labels__precondition": ".nan"}, "pseudo_labels.precondition: '.nan' is not of type 'number', 'null'"),
        ({"gpu_memory__linknet34": math.inf}, "gpu_memory.linknet34: inf is not of type 'number', 'null'; write a fin"),
        ({"epochs__linknet34": "0"}, "epochs.linknet34: 0 is less than the minimum of 1"),
    ],
)
def test_key_value_and_what_is_allowed_are_told(changes, told):
    with pytest.raises(UserError) as caught:
        check_config(changed(**changes), CONFIG / "schema.yaml")
    assert told in str(caught.value)
    assert str(caught.value).count("\n") == 1


def test_true_is_no_number_to_be_written_otherwise():
    with pytest.raises(UserError, match=r"seed: True is not of type 'integer'$"):
        check_config(changed(seed=True), CONFIG / "schema.yaml")


def test_texts_of_the_command_line_are_taken_for_what_they_mean():
    config = changed(quiet="true", epochs__linknet34="7", run="2017")
    check_config(config, CONFIG / "schema.yaml")
    assert config["quiet"] is True
    assert config["epochs"]["linknet34"] == 7
    assert config["run"] == "2017"


def test_nothing_is_told_from_a_text_where_there_can_be_nothing():
    config = changed(store="null", data__folder="null", folds="null", run="null")
    check_config(config, CONFIG / "schema.yaml")
    assert (config["store"], config["data"]["folder"], config["folds"], config["run"]) == (None, None, None, "null")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("012", 12),
        ("1e-1", 0.1),
        ("True", True),
        ("true", "true"),
        ("2024-01-02", "2024-01-02"),
        ("on", "on"),
        ("null", "null"),
        ("", None),
        ('"2024"', 2024),
        ("'true'", "true"),
        ('"True"', True),
        ('""', None),
        ("it's", "it's"),
        ('["a", "1"]', ["a", "1"]),
        ("[1, {a: 2.0}]", ["1", {"a": "2.0"}]),
        ('{"a": null}', {"a": "null"}),
    ],
)
def test_a_value_of_the_command_line_is_what_snakemake_makes_of_it(text, value):
    (of_snakemake,) = parse_config([f"key={text}"]).values()
    ours = of_command_line(text, "--config")
    assert (ours, type(ours)) == (of_snakemake, type(of_snakemake)) == (value, type(value))


def test_the_names_that_no_run_may_have_are_those_of_other_folders():
    plan = Plan(changed(run="mine", edition="presented"), ROOT)
    assert plan.results == Path(f"results/mine{PRESENTED}")
    shared = [plan.store, plan.encoders.file("vgg11").parent, plan.competition.images, plan.submissions.ledger]
    assert shared == [Path("results", name) for name in SHARED]


def test_folders_that_are_there_and_blanks_are_fine(tmp_path):
    check_config(changed(results=str(tmp_path), store=f"{tmp_path}/my store"), CONFIG / "schema.yaml")


def test_all_problems_are_told_at_once():
    with pytest.raises(UserError) as caught:
        check_config(changed(seed=-1, shards=0), CONFIG / "schema.yaml")
    assert str(caught.value).count("\n") == 2


def test_the_shipped_configuration_is_good():
    check_config(changed(), CONFIG / "schema.yaml")


def test_every_key_is_explained():
    lines = (CONFIG / "config.yaml").read_text().splitlines()
    schema = yaml.safe_load((CONFIG / "schema.yaml").read_text())
    for key in schema["properties"]:
        (place,) = (number for number, line in enumerate(lines) if line.startswith(f"{key}:"))
        # The two parts of the results' path, and the two kinds of cores, share a comment.
        above = lines[place - 1] if not lines[place - 1].startswith(("results:", "threads:")) else lines[place - 2]
        below = lines[place + 1] if place + 1 < len(lines) else ""
        assert above.startswith("#") or below.strip().startswith("#"), key


def test_a_configuration_is_put_together_as_snakemake_does(tmp_path):
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("run: mine\ndata:\n  source: synthetic\n")
    config = load_config(ROOT, [overlay], ["seed=3", 'data={"folder": "elsewhere"}', "save_minutes=0.5"])
    assert (config["run"], config["seed"], config["save_minutes"]) == ("mine", 3, 0.5)
    assert (config["data"]["source"], config["data"]["folder"]) == ("synthetic", "elsewhere")
    assert config["data"]["parallel_downloads"] == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"epochs: [1\nb: {", r"is no YAML \(line 2: expected .*\); correct it"),
        (b"run: [\x01]", r"is no YAML \(unacceptable character #x0001: .*\); correct it"),
        (b"run: 2017-13-45", r"is no YAML \(month must be in 1\.\.12.*\); correct it"),
        (b"run: caf\xe9\n", r"is no text in UTF-8 \(byte 8: .*\); save it as such"),
        (b"", r"^\S+ has no keys at its top level; write what it changes as `key: value`, or leave it out$"),
        (b"# folds: 2\n", "has no keys at its top level"),
        (b"[]", "has no keys at its top level"),
        (b"0", "has no keys at its top level"),
        (b"false", "has no keys at its top level"),
        (
            b"folds: 2\nseed: 1\nfolds: 3\n",
            r"^\S+: the key folds is given twice, in line 1 and line 3; keep one of them$",
        ),
        (b"epochs:\n  linknet34: 2\nepochs:\n  ternausnet: 2\n", "the key epochs is given twice, in line 1 and line 3"),
        (b"epochs: {linknet34: 2,\n  linknet34: 2}\n", "the key linknet34 is given twice, in line 1 and line 2"),
        (b'{"folds": 2, "folds": 3}', r"^\S+: the key folds is given twice; keep one of them$"),
        (b"5: 3\n", "cannot be used:\n  top level: unknown key 5; known are results, run"),
        (b"5: 3\nsauce: 1\n", "top level: unknown key 5, sauce; known are"),
    ],
)
def test_an_overlay_that_cannot_be_read_is_told(tmp_path, content, told):
    (tmp_path / "overlay.yaml").write_bytes(content)
    with pytest.raises(UserError, match=told) as caught:
        load_config(ROOT, [tmp_path / "overlay.yaml"], [])
    if "no YAML" in told or "UTF-8" in told:
        assert str(caught.value).startswith(f"{tmp_path}/overlay.yaml is no ")
        assert "\n" not in str(caught.value)


def test_a_merge_key_may_bring_a_key_that_is_given_again(tmp_path):
    overlay = tmp_path / "overlay.yaml"
    given = "<<: &small {ternausnet: 1, linknet34: 1}\n  linknet34: 2"
    overlay.write_text(f"epochs:\n  {given}\nimages_per_step:\n  <<: *small\n  linknet34: 3\n")
    config = load_config(ROOT, [overlay], [])
    assert (config["epochs"]["ternausnet"], config["epochs"]["linknet34"]) == (1, 2)
    assert (config["images_per_step"]["ternausnet"], config["images_per_step"]["linknet34"]) == (1, 3)


def test_an_overlay_in_json_may_have_tabs(tmp_path):
    overlay = tmp_path / "overlay.json"
    overlay.write_text('{\n\t"run": "mine"\n}\n')
    assert load_config(ROOT, [overlay], [])["run"] == "mine"


def test_a_folder_and_a_broken_value_are_told(tmp_path):
    with pytest.raises(UserError, match=r"cannot be read \(Is a directory\); name a file, an overlay such as"):
        load_config(ROOT, [tmp_path], [])
    with pytest.raises(UserError, match=r"^--config epochs=\[ is no YAML \(line 1: expected .*\); correct it$"):
        load_config(ROOT, [], ["epochs=["])
    with pytest.raises(
        UserError, match=r"^--config epochs=\{a: 1, a: 2\}: the key a is given twice, in line 1 and line 1;"
    ):
        load_config(ROOT, [], ["epochs={a: 1, a: 2}"])


def test_a_wrong_overlay_is_told(tmp_path):
    with pytest.raises(UserError, match=r"no such configuration; name an overlay"):
        load_config(ROOT, [tmp_path / "absent.yaml"], [])
    with pytest.raises(UserError, match=r"--config seed: write key=value"):
        load_config(ROOT, [], ["seed"])
    with pytest.raises(UserError, match=r"shards: 0 is less than"):
        load_config(ROOT, [], ["shards=0"])
