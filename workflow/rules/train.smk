# Training: one job per network, a model's fold.


rule train:
    input:
        manifest="<results>/data/train.csv",
        folds=lambda wc: PLAN.folds.table(wc.model, int(wc.fold)),
        encoder=lambda wc: PLAN.encoders.receipt(wc.model),
        exclude=PLAN.trainings.exclusions(),
        pseudo=lambda wc: PLAN.second_round.manifest(wc.model, int(wc.fold)),
    output:
        weights="<results>/models/{model}/fold{fold}/weights.safetensors",
        history="<results>/models/{model}/fold{fold}/history.csv",
        recipe="<results>/models/{model}/fold{fold}/recipe.yaml",
        timings="<results>/models/{model}/fold{fold}/timings.json",
    log:
        "<logs>/train/{model}/fold{fold}.log",
    wildcard_constraints:
        model=one_of(PLAN.origins.trained),
    # For users of Snakemake's own cache too; `key` tells it what it would overlook.
    cache: True
    # A prediction that waits costs nothing; a long training that starts last keeps all others waiting.
    priority: lambda wc: PLAN.trainings.priority(wc.model)
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        gpu=lambda wc: PLAN.trainings.gpus(wc.model),
        mem_mb=lambda wc, attempt: attempt * REQUESTS[wc.model].training.mem_mb,
        runtime=lambda wc: REQUESTS[wc.model].training.minutes,
    params:
        **PLAN.provenance.by_model("workflow/scripts/train.py"),
        key=lambda wc, input, threads, resources: cache_key(
            wc.items(), input.items(), threads, resources.gpu
        ),
        edition=PLAN.edition,
        geometry=config["geometry"],
        overrides=lambda wc: PLAN.trainings.overrides(wc.model),
        seed=config["seed"],
        precision=config["precision"],
        autotune=PLAN.autotune_argument,
        encoder=lambda wc: PLAN.encoders.argument(wc.model),
        exclude=PLAN.trainings.exclusions_argument(),
        pseudo=lambda wc: PLAN.second_round.training_argument(wc.model, int(wc.fold)),
        tensorboard=str(PLAN.results / "tensorboard/{model}/fold{fold}"),
        # As functions of the resources, since a job need not run again when these change.
        workers=lambda wc, resources: config["workers"],
        gpus=lambda wc, resources: PLAN.trainings.gpus(wc.model),
        memory=lambda wc, resources: PLAN.trainings.memory_arguments(wc.model),
        store=lambda wc, resources: str(PLAN.store),
        save_seconds=lambda wc, resources: PLAN.trainings.save_seconds,
        quiet=lambda wc, resources: PLAN.quiet_argument,
    shell:
        "python workflow/scripts/train.py"
        " --model {wildcards.model} --edition {params.edition}"
        " --fold {wildcards.fold}"
        " --manifest {input.manifest:q}"
        " --folds {input.folds:q}"
        " --geometry {params.geometry}"
        " --seed {params.seed}"
        " --precision {params.precision} {params.autotune}"
        " --gpus-wanted {params.gpus} --gpus-granted {resources.gpu}"
        " --threads {threads} --workers {params.workers}"
        " --weights {output.weights:q}"
        " --history {output.history:q}"
        " --recipe {output.recipe:q}"
        " --timings {output.timings:q}"
        " --tensorboard {params.tensorboard:q}"
        " --store {params.store:q} --save-seconds {params.save_seconds}"
        " {params.overrides} {params.encoder} {params.exclude} {params.pseudo} {params.memory} {params.quiet}"
        " 2>&1 | tee -i {log:q}"
