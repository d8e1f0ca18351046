# Does a pre-trained encoder help? One fold of two networks, from ImageNet and from random weights.

COMPARED = ("ternausnet", "linknet34_fma_s44")


use rule train as train_from_random with:
    input:
        manifest="<results>/data/train.csv",
        folds=lambda wc: PLAN.folds.table(wc.model, int(wc.fold)),
        exclude=PLAN.trainings.exclusions(),
    output:
        weights="<results>/from_random/{model}/fold{fold}/weights.safetensors",
        history="<results>/from_random/{model}/fold{fold}/history.csv",
        recipe="<results>/from_random/{model}/fold{fold}/recipe.yaml",
        timings="<results>/from_random/{model}/fold{fold}/timings.json",
    log:
        "<logs>/from_random/{model}/fold{fold}.log",
    params:
        encoder="",
        tensorboard=str(PLAN.results / "tensorboard/from_random/{model}/fold{fold}"),


rule encoder_curves:
    input:
        imagenet=lambda wc: PLAN.encoders.histories(COMPARED),
        random=[
            f"<results>/from_random/{model}/fold0/history.csv" for model in COMPARED
        ],
    output:
        picture="<results>/encoder_curves.png",
    log:
        "<logs>/encoder_curves.log",
    conda:
        "../../envs/environment.yaml"
    params:
        **PLAN.provenance.of("workflow/scripts/encoder_curves.py"),
        histories=lambda wc, input: " ".join(
            option("history", model, beginning, path)
            for beginning, paths in (
                ("ImageNet", input.imagenet),
                ("random weights", input.random),
            )
            for model, path in zip(COMPARED, paths)
        ),
    shell:
        "python workflow/scripts/encoder_curves.py"
        " {params.histories}"
        " --out {output.picture:q}"
        " 2>&1 | tee {log:q}"
