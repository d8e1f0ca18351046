# A model's networks on the training images: each by the network that did not train on its car.


rule validate:
    input:
        manifest="<results>/data/train.csv",
        folds=lambda wc: f"<results>/folds/{PLAN.folds.of(wc.model)}.csv",
        weights=lambda wc: PLAN.networks.weights(wc.model),
    output:
        maps="<results>/oof/{model}/maps.h5",
        dice="<results>/oof/{model}/dice.csv",
        timings="<results>/oof/{model}/timings.json",
    log:
        "<logs>/validate/{model}.log",
    cache: True
    priority: lambda wc: PLAN.trainings.chain_priority(wc.model)
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        gpu=1,
        mem_mb=lambda wc, attempt: attempt * REQUESTS[wc.model].prediction.mem_mb,
        runtime=lambda wc, attempt: attempt * REQUESTS[wc.model].prediction.minutes,
    params:
        **PLAN.provenance.by_model("workflow/scripts/validate.py"),
        key=lambda wc, input, threads, resources: cache_key(
            wc.items(), input.items(), threads, resources.gpu
        ),
        edition=PLAN.edition,
        networks=lambda wc: PLAN.origins.networks_argument(wc.model),
        trained_with=lambda wc: PLAN.networks.folds_argument(wc.model),
        geometry=config["geometry"],
        precision=config["precision"],
        autotune=PLAN.autotune_argument,
        gpus=1,
        # As functions of the resources, since a job need not run again when these change.
        workers=lambda wc, resources: max(1, config["workers"]),
        store=lambda wc, resources: str(PLAN.store),
        quiet=lambda wc, resources: PLAN.quiet_argument,
    shell:
        "python workflow/scripts/validate.py"
        " --model {wildcards.model} --edition {params.edition}"
        " --weights {input.weights:q}"
        " --manifest {input.manifest:q}"
        " --folds {input.folds:q}"
        " --geometry {params.geometry}"
        " --precision {params.precision} {params.autotune}"
        " --gpus-wanted {params.gpus} --gpus-granted {resources.gpu}"
        " --threads {threads} --workers {params.workers}"
        " --maps {output.maps:q}"
        " --dice {output.dice:q}"
        " --timings {output.timings:q}"
        " --store {params.store:q}"
        " {params.networks} {params.trained_with} {params.quiet}"
        " 2>&1 | tee -i {log:q}"
