# Weights that others trained, in the place of a training; and this run's, packed for others.


if PLAN.origins.imported:

    rule import_weights:
        input:
            lambda wc: PLAN.origins.inputs(wc.model, int(wc.fold)),
        output:
            weights="<results>/models/{model}/fold{fold}/weights.safetensors",
            recipe="<results>/models/{model}/fold{fold}/recipe.yaml",
        log:
            "<logs>/import/{model}/fold{fold}.log",
        wildcard_constraints:
            model=one_of(PLAN.origins.imported),
        conda:
            "../../envs/environment.yaml"
        params:
            **PLAN.provenance.by_model("workflow/scripts/import_weights.py"),
            edition=PLAN.edition,
            folds=lambda wc: PLAN.folds.number(PLAN.folds.of(wc.model)),
            geometry=config["geometry"],
            precision=config["precision"],
            origin=lambda wc: PLAN.origins.arguments(wc.model, int(wc.fold)),
        shell:
            "python workflow/scripts/import_weights.py"
            " --model {wildcards.model} --edition {params.edition}"
            " --fold {wildcards.fold} --folds {params.folds}"
            " --geometry {params.geometry}"
            " --precision {params.precision}"
            " --weights {output.weights:q}"
            " --recipe {output.recipe:q}"
            " {params.origin}"
            " 2>&1 | tee {log:q}"


rule fetch_checkpoint:
    output:
        receipt=str(PLAN.origins.published_receipt),
    log:
        "<logs>/download/checkpoint.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    resources:
        downloads=1,
    params:
        **PLAN.provenance.of("workflow/scripts/fetch_checkpoint.py"),
        url=config["released"]["url"],
        blob=PLAN.published["published_checkpoint"]["git_blob"],
        file=str(PLAN.origins.folder / PLAN.published["published_checkpoint"]["file"]),
    shell:
        "python workflow/scripts/fetch_checkpoint.py"
        " --url {params.url:q}"
        " --blob {params.blob}"
        " --file {params.file:q}"
        " --receipt {output.receipt:q}"
        " 2>&1 | tee {log:q}"


rule weights:
    input:
        networks=PLAN.networks.all_weights(),
        scores="<results>/scores.json",
        folds=PLAN.folds.tables(),
    output:
        index="<results>/weights/weights.json",
        card="<results>/weights/README.md",
        files=PLAN.networks.packed_files(),
    log:
        "<logs>/weights.log",
    conda:
        "../../envs/environment.yaml"
    params:
        **PLAN.provenance.of("workflow/scripts/pack_weights.py"),
        networks=lambda wc, input: [str(Path(path).parent) for path in input.networks],
        folds=PLAN.folds.table_arguments(),
        name=config["run"],
        edition=PLAN.edition,
        folder=lambda wc, output: str(Path(output.index).parent),
    shell:
        "python workflow/scripts/pack_weights.py"
        " --network {params.networks:q}"
        " --scores {input.scores:q}"
        " {params.folds}"
        " --name {params.name} --edition {params.edition}"
        " --out {params.folder:q}"
        " 2>&1 | tee {log:q}"
