# One table of Dice scores: baselines, models, recipes, members and the ensemble.

BASELINES = ["mean_mask", "colour_threshold"]
# The test images are scored where their truth is known.
SCORED_PARTS = ["train", *TEST_PARTS] if SYNTHETIC else ["train"]
BASELINE_PARTS = ["train", "test"] if SYNTHETIC else ["train"]
ENSEMBLED = set(config["members"]) == set(MEMBERS)
SCORED_RECIPES = [recipe for member in config["members"] for recipe in MEMBERS[member]]
SCORED_MODELS = [model for recipe in SCORED_RECIPES for model in models_of(recipe)]
RANDOM_ENCODERS = config["encoder_weights"]["source"] == "random"


def masks_of_model(model):
    """The folder of masks of a model alone; a recipe's only model has the recipe's."""
    return recipe_of(model) if len(models_of(recipe_of(model))) == 1 else model


def score_rows():
    """(level, name, folder under masks/) of every row of the table."""
    rows = [("baseline", name, name) for name in BASELINES]
    rows += [("model", model, masks_of_model(model)) for model in SCORED_MODELS]
    rows += [("recipe", recipe, recipe) for recipe in SCORED_RECIPES]
    rows += [
        ("member", name, recipe)
        for name, recipe in SUBMISSIONS.items()
        if recipe in SCORED_RECIPES
    ]
    return rows + [("ensemble", "ensemble", "ensemble")] * ENSEMBLED


def parts_of(level):
    return BASELINE_PARTS if level == "baseline" else SCORED_PARTS


def score_entries(wildcards):
    """The --entry arguments of score.py, one for every row."""
    folder = RESULTS / "masks"

    def entry(level, name, masks):
        test = (
            ",".join(f"{folder}/{masks}/{part}.csv" for part in parts_of(level)[1:])
            or "-"
        )
        random = level != "baseline" and RANDOM_ENCODERS and masks != "unet_scratch"
        note = " 'encoder from random weights'" if random else ""
        return f"--entry {level} {name} {folder}/{masks}/train.csv {test}{note}"

    return " ".join(entry(*row) for row in score_rows())


rule baselines:
    input:
        manifest="<results>/data/train.csv",
        test_manifest="<results>/data/test.csv" if SYNTHETIC else [],
        folds="<results>/folds/random7.csv",
    output:
        mean=[f"<results>/masks/mean_mask/{part}.csv" for part in BASELINE_PARTS],
        colour=[
            f"<results>/masks/colour_threshold/{part}.csv" for part in BASELINE_PARTS
        ],
    log:
        "<logs>/baselines.log",
    params:
        **provenance("workflow/scripts/baselines.py"),
        test=lambda wc, input: (
            f"--test-manifest {input.test_manifest}" if SYNTHETIC else ""
        ),
        geometry=config["geometry"],
    shell:
        "python workflow/scripts/baselines.py"
        " --manifest {input.manifest:q}"
        " {params.test}"
        " --folds {input.folds:q}"
        " --geometry {params.geometry}"
        " --mean-mask {output.mean:q}"
        " --colour-threshold {output.colour:q}"
        " 2>&1 | tee {log:q}"


rule score:
    input:
        manifest="<results>/data/train.csv",
        masks=[
            f"<results>/masks/{masks}/{part}.csv"
            for level, _, masks in score_rows()
            for part in parts_of(level)
        ],
    output:
        json="<results>/scores.json",
        csv="<results>/scores.csv",
    log:
        "<logs>/score.log",
    params:
        **provenance("workflow/scripts/score.py"),
        entries=score_entries,
        solution=f"--solution {DATA}/solution.csv" if SYNTHETIC else "",
        geometry=config["geometry"],
    shell:
        "python workflow/scripts/score.py"
        " {params.entries}"
        " --manifest {input.manifest:q}"
        " {params.solution}"
        " --geometry {params.geometry}"
        " --json {output.json:q}"
        " --csv {output.csv:q}"
        " 2>&1 | tee {log:q}"


rule picture:
    input:
        manifest="<results>/data/train.csv",
        masks="<results>/masks/ensemble/train.csv",
    output:
        picture="<results>/picture.png",
    log:
        "<logs>/picture.log",
    params:
        **provenance("workflow/scripts/picture.py"),
    shell:
        "python workflow/scripts/picture.py"
        " --manifest {input.manifest:q}"
        " --masks {input.masks:q}"
        " --out {output.picture:q}"
        " 2>&1 | tee {log:q}"
