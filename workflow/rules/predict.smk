# A model's networks on the test images: all of them, summed.


rule predict:
    input:
        manifest="<results>/data/test.csv",
        weights=lambda wc: PLAN.networks.weights(wc.model),
    output:
        sums="<results>/predictions/{model}/test-{shard}-of-{shards}.h5",
        timings="<results>/predictions/{model}/test-{shard}-of-{shards}.json",
    log:
        "<logs>/predict/{model}/test-{shard}-of-{shards}.log",
    cache: True
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        gpu=1,
        mem_mb=lambda wc, attempt: attempt * REQUESTS[wc.model].prediction.mem_mb,
        runtime=lambda wc, attempt: attempt * REQUESTS[wc.model].prediction.minutes,
    params:
        **PLAN.provenance.by_model("workflow/scripts/predict.py"),
        key=lambda wc, input, threads, resources: cache_key(
            wc.items(), input.items(), threads, resources.gpu
        ),
        shard=lambda wc: int(wc.shard) - 1,
        shards=config["shards"],
        edition=PLAN.edition,
        networks=lambda wc: PLAN.origins.networks_argument(wc.model),
        geometry=config["geometry"],
        precision=config["precision"],
        autotune=PLAN.autotune_argument,
        gpus=1,
        # As functions of the resources, since a job need not run again when these change.
        workers=lambda wc, resources: max(1, config["workers"]),
        store=lambda wc, resources: str(PLAN.store),
        quiet=lambda wc, resources: PLAN.quiet_argument,
    shell:
        "python workflow/scripts/predict.py"
        " --model {wildcards.model} --edition {params.edition}"
        " --weights {input.weights:q}"
        " --manifest {input.manifest:q}"
        " --shard {params.shard} --shards {params.shards}"
        " --geometry {params.geometry}"
        " --precision {params.precision} {params.autotune}"
        " --gpus-wanted {params.gpus} --gpus-granted {resources.gpu}"
        " --threads {threads} --workers {params.workers}"
        " --out {output.sums:q}"
        " --timings {output.timings:q}"
        " --store {params.store:q}"
        " {params.networks} {params.quiet}"
        " 2>&1 | tee -i {log:q}"
