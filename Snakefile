"""The winning solution of Kaggle's Carvana Image Masking Challenge: configuration, stages and targets for people."""

import os
from pathlib import Path

from snakemake.utils import min_version, validate

min_version("9.27")

# Progress bars are also written to log files: one line in two seconds is enough.
os.environ.setdefault("TQDM_MININTERVAL", "2")


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
include: "workflow/rules/curves.smk"
include: "workflow/rules/predict.smk"
include: "workflow/rules/ensemble.smk"
include: "workflow/rules/submission.smk"
include: "workflow/rules/score.smk"


rule all:
    default_target: True
    input:
        PLAN.wanted_submissions(),
        rules.score.output,
        rules.picture.output if PLAN.ensembles else [],


for member in MEMBERS:

    rule:
        name:
            member
        input:
            PLAN.submissions(member),


for model in MODELS:

    rule:
        name:
            model
        input:
            PLAN.submission(model),
