# From sums of 8-bit maps to masks: recipes', single models' and the ensemble's.


rule merge:
    input:
        sums=lambda wc: [
            PLAN.maps.sums(model, wc.part)
            for model in merged_models(wc.recipe, PLAN.edition)
        ],
    output:
        maps="<results>/maps/{recipe}/{part}.h5",
        masks="<results>/masks/{recipe}/{part}.csv",
    log:
        "<logs>/merge/{recipe}/{part}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        **PLAN.provenance.of("workflow/scripts/merge.py"),
        rules=lambda wc: PLAN.provenance.of_merging(wc.recipe),
        model=lambda wc: merged_models(wc.recipe, PLAN.edition)[0],
        edition=PLAN.edition,
        common=lambda wc: PLAN.networks.common_argument(
            merged_models(wc.recipe, PLAN.edition), wc.part
        ),
    shell:
        "python workflow/scripts/merge.py"
        " --model {params.model} --edition {params.edition}"
        " --name {wildcards.recipe}"
        " --sums {input.sums:q}"
        " --out {output.maps:q}"
        " --masks {output.masks:q}"
        " {params.common}"
        " 2>&1 | tee {log:q}"


rule model_masks:
    input:
        sums=lambda wc: PLAN.maps.sums(PLAN.maps.own_masks[wc.variant], wc.part),
    output:
        masks="<results>/masks/{variant}/{part}.csv",
    log:
        "<logs>/merge/{variant}/{part}.log",
    priority: lambda wc: PLAN.trainings.chain_priority(PLAN.maps.own_masks[wc.variant])
    conda:
        "../../envs/environment.yaml"
    params:
        **PLAN.provenance.of("workflow/scripts/merge.py"),
        rules=lambda wc: PLAN.provenance.of_merging(
            recipe_of(PLAN.maps.own_masks[wc.variant], PLAN.edition)
        ),
        model=lambda wc: PLAN.maps.own_masks[wc.variant],
        edition=PLAN.edition,
    shell:
        "python workflow/scripts/merge.py"
        " --model {params.model} --edition {params.edition}"
        " --name {params.model}"
        " --sums {input.sums:q}"
        " --masks {output.masks:q}"
        " 2>&1 | tee {log:q}"


rule ensemble:
    input:
        ternausnet="<results>/maps/ternausnet/{part}.h5",
        linknet34="<results>/maps/linknet34/{part}.h5",
        unet_scratch="<results>/maps/unet_scratch/{part}.h5",
        unet_vgg11="<results>/maps/unet_vgg11/{part}.h5",
    output:
        masks="<results>/masks/ensemble/{part}.csv",
    log:
        "<logs>/ensemble/{part}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        **PLAN.provenance.of("workflow/scripts/ensemble.py"),
        geometry=config["geometry"],
        common=lambda wc: PLAN.networks.common_argument(PLAN.merged, wc.part),
    shell:
        "python workflow/scripts/ensemble.py"
        " --ternausnet {input.ternausnet:q}"
        " --linknet34 {input.linknet34:q}"
        " --unet-scratch {input.unet_scratch:q}"
        " --unet-vgg11 {input.unet_vgg11:q}"
        " --geometry {params.geometry}"
        " --out {output.masks:q}"
        " {params.common}"
        " 2>&1 | tee {log:q}"
