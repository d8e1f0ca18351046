# Pseudo-labels: a first round's masks of its surest test cars, for a second round of training.

SECOND = PLAN.second_round


rule precondition:
    input:
        manifest="<results>/data/train.csv",
        masks=SECOND.first_masks(PLAN.maps.masks_folder(SECOND.first)),
    output:
        found=SECOND.precondition,
    log:
        "<logs>/pseudo_labels/precondition.log",
    priority: FIRST_OF_ALL
    conda:
        "../../envs/environment.yaml"
    params:
        **PLAN.provenance.of("workflow/scripts/precondition.py"),
        needed=SECOND.precondition_arguments(),
    shell:
        "python workflow/scripts/precondition.py"
        " --manifest {input.manifest:q}"
        " --masks {input.masks:q}"
        " {params.needed}"
        " --out {output.found:q}"
        " 2>&1 | tee {log:q}"


rule teach:
    input:
        manifest="<results>/data/test.csv",
        weights=lambda wc: PLAN.networks.weights_of_fold(SECOND.first, int(wc.fold)),
        # Before work of days: are pseudo-labels expected to help?
        found=SECOND.precondition,
    output:
        candidates="<results>/pseudo_labels/fold{fold}/test-{shard}-of-{shards}.csv",
        timings="<results>/pseudo_labels/fold{fold}/test-{shard}-of-{shards}.json",
    log:
        "<logs>/pseudo_labels/fold{fold}/test-{shard}-of-{shards}.log",
    priority: FIRST_OF_ALL
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    resources:
        gpu=1,
        mem_mb=lambda wc, attempt: attempt * REQUESTS[SECOND.first].prediction.mem_mb,
        runtime=lambda wc, attempt: attempt * REQUESTS[SECOND.first].prediction.minutes,
    params:
        **PLAN.provenance.of_model("workflow/scripts/teach.py", SECOND.first),
        model=SECOND.first,
        edition=PLAN.edition,
        shard=lambda wc: int(wc.shard) - 1,
        shards=config["shards"],
        unclear=SECOND.unclear_argument(),
        geometry=config["geometry"],
        precision=config["precision"],
        autotune=PLAN.autotune_argument,
        gpus=1,
        # As functions of the resources, since a job need not run again when these change.
        workers=lambda wc, resources: max(1, config["workers"]),
        store=lambda wc, resources: str(PLAN.store),
        quiet=lambda wc, resources: PLAN.quiet_argument,
    shell:
        "python workflow/scripts/teach.py"
        " --model {params.model} --edition {params.edition}"
        " --weights {input.weights:q} --networks {wildcards.fold}"
        " --manifest {input.manifest:q}"
        " --shard {params.shard} --shards {params.shards}"
        " {params.unclear}"
        " --geometry {params.geometry}"
        " --precision {params.precision} {params.autotune}"
        " --gpus-wanted {params.gpus} --gpus-granted {resources.gpu}"
        " --threads {threads} --workers {params.workers}"
        " --out {output.candidates:q}"
        " --timings {output.timings:q}"
        " --store {params.store:q}"
        " {params.quiet}"
        " 2>&1 | tee -i {log:q}"
