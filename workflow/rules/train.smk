# Training: one job per network, a model's fold.


rule train:
    input:
        manifest="<results>/data/train.csv",
        folds=lambda wc: f"<results>/folds/{PLAN.scheme(wc.model)}.csv",
        encoder=lambda wc: PLAN.encoder_receipt(wc.model),
        exclude=PLAN.exclusions(),
    output:
        weights="<results>/models/{model}/fold{fold}/weights.safetensors",
        history="<results>/models/{model}/fold{fold}/history.csv",
        recipe="<results>/models/{model}/fold{fold}/recipe.yaml",
        timings="<results>/models/{model}/fold{fold}/timings.json",
    log:
        "<logs>/train/{model}/fold{fold}.log",
    # A prediction that waits costs nothing; a training that starts last keeps all others waiting.
    priority: 1
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        gpu=1,
    params:
        **PLAN.recipe_provenance("workflow/scripts/train.py"),
        geometry=config["geometry"],
        epochs=lambda wc: PLAN.epochs(wc.model),
        seed=config["seed"],
        precision=config["precision"],
        encoder=lambda wc: PLAN.encoder_argument(wc.model),
        exclude=" ".join(f"--exclude {path}" for path in PLAN.exclusions()),
        tensorboard=str(PLAN.results / "tensorboard/{model}/fold{fold}"),
        gpus=1,
        workers=config["workers"],
        quiet=PLAN.quiet,
    shell:
        "python workflow/scripts/train.py"
        " --model {wildcards.model}"
        " --fold {wildcards.fold}"
        " --manifest {input.manifest:q}"
        " --folds {input.folds:q}"
        " --geometry {params.geometry}"
        " --seed {params.seed}"
        " --precision {params.precision}"
        " --gpus-wanted {params.gpus} --gpus-granted {resources.gpu}"
        " --threads {threads} --workers {params.workers}"
        " --weights {output.weights:q}"
        " --history {output.history:q}"
        " --recipe {output.recipe:q}"
        " --timings {output.timings:q}"
        " --tensorboard {params.tensorboard:q}"
        " {params.epochs} {params.encoder} {params.exclude} {params.quiet}"
        " 2>&1 | tee {log:q}"
