"""The winning solution of Kaggle's Carvana Image Masking Challenge: configuration, stages and targets for people."""

from pathlib import Path

from snakemake.utils import min_version, validate

min_version("9.27")


configfile: "config/config.yaml"


validate(config, "config/schema.yaml")


pathvars:
    results=str(Path(config["results"]) / config["run"]),
    logs=str(Path(config["results"]) / config["run"] / "logs"),


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/folds.smk"
include: "workflow/rules/encoders.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/predict.smk"
include: "workflow/rules/ensemble.smk"
include: "workflow/rules/score.smk"


rule all:
    default_target: True
    input:
        [
            submission_file(name)
            for member in config["members"]
            for name in submissions_of(member)
        ],
        submission_file("ensemble") if ENSEMBLED else [],
        rules.score.output,
        rules.picture.output if ENSEMBLED else [],


for member in MEMBERS:

    rule:
        name:
            member
        input:
            [submission_file(name) for name in submissions_of(member)],


for model in MODELS:

    rule:
        name:
            model
        input:
            submission_file(model),
