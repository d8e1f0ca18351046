# One table of Dice scores: baselines, models, recipes, members and the ensemble.


rule baselines:
    input:
        manifest="<results>/data/train.csv",
        test_manifest="<results>/data/test.csv" if PLAN.synthetic else [],
        folds="<results>/folds/random7.csv",
    output:
        mean=PLAN.scoring.baseline_masks("mean_mask"),
        colour=PLAN.scoring.baseline_masks("colour_threshold"),
    log:
        "<logs>/baselines.log",
    conda:
        "../../envs/environment.yaml"
    params:
        **PLAN.provenance.of("workflow/scripts/baselines.py"),
        test=lambda wc, input: (
            option("test-manifest", input.test_manifest) if PLAN.synthetic else ""
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
        masks=PLAN.scoring.masks(),
    output:
        json="<results>/scores.json",
        csv=report(
            "<results>/scores.csv",
            caption="../report/scores.rst",
            category="Scores",
        ),
    log:
        "<logs>/score.log",
    conda:
        "../../envs/environment.yaml"
    params:
        **PLAN.provenance.of("workflow/scripts/score.py"),
        entries=PLAN.scoring.arguments(),
        geometry=config["geometry"],
    shell:
        "python workflow/scripts/score.py"
        " {params.entries}"
        " --manifest {input.manifest:q}"
        " --geometry {params.geometry}"
        " --json {output.json:q}"
        " --csv {output.csv:q}"
        " 2>&1 | tee {log:q}"


rule picture:
    input:
        manifest="<results>/data/train.csv",
        masks="<results>/masks/ensemble/train.csv",
    output:
        picture=report(
            "<results>/picture.png",
            caption="../report/picture.rst",
            category="Masks",
        ),
    log:
        "<logs>/picture.log",
    conda:
        "../../envs/environment.yaml"
    params:
        **PLAN.provenance.of("workflow/scripts/picture.py"),
    shell:
        "python workflow/scripts/picture.py"
        " --manifest {input.manifest:q}"
        " --masks {input.masks:q}"
        " --out {output.picture:q}"
        " 2>&1 | tee {log:q}"
