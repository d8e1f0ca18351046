# From what teachers say to training masks; and the first round's ensemble as the teacher, where that is configured.


use rule merge as merge_first_round with:
    input:
        sums=lambda wc: PLAN.maps.sums(SECOND.first, wc.part),
    output:
        maps="<results>/pseudo_labels/ensemble/{recipe}/{part}.h5",
        masks="<results>/pseudo_labels/ensemble/{recipe}/{part}.csv",
    log:
        "<logs>/pseudo_labels/ensemble/merge/{recipe}/{part}.log",
    wildcard_constraints:
        recipe=recipe_of(SECOND.first, PLAN.edition),
    params:
        **PLAN.provenance.of("workflow/scripts/merge.py"),
        rules=lambda wc: PLAN.provenance.of_merging(wc.recipe),
        model=SECOND.first,
        edition=PLAN.edition,
        common="",


rule teach_by_ensemble:
    input:
        ternausnet="<results>/pseudo_labels/ensemble/ternausnet/{part}.h5",
        linknet34="<results>/maps/linknet34/{part}.h5",
        unet_scratch="<results>/maps/unet_scratch/{part}.h5",
        unet_vgg11="<results>/maps/unet_vgg11/{part}.h5",
        # The training images' own masks are what the precondition is judged by.
        found=lambda wc: [] if wc.part == "train" else SECOND.precondition,
    output:
        masks="<results>/pseudo_labels/ensemble/masks/{part}.csv",
        candidates="<results>/pseudo_labels/ensemble/{part}.csv",
    log:
        "<logs>/pseudo_labels/ensemble/{part}.log",
    priority: FIRST_OF_ALL
    conda:
        "../../envs/environment.yaml"
    params:
        **PLAN.provenance.of("workflow/scripts/ensemble.py"),
        geometry=config["geometry"],
        unclear=SECOND.unclear_argument(),
        common=lambda wc: PLAN.networks.common_argument(PLAN.merged, wc.part),
    shell:
        "python workflow/scripts/ensemble.py"
        " --ternausnet {input.ternausnet:q}"
        " --linknet34 {input.linknet34:q}"
        " --unet-scratch {input.unet_scratch:q}"
        " --unet-vgg11 {input.unet_vgg11:q}"
        " --geometry {params.geometry}"
        " --out {output.masks:q}"
        " --candidates {output.candidates:q} {params.unclear}"
        " {params.common}"
        " 2>&1 | tee {log:q}"


rule pseudo_labels:
    input:
        candidates=lambda wc: SECOND.candidates(wc.teacher),
        manifest="<results>/data/test.csv",
        training="<results>/data/train.csv",
    output:
        manifest="<results>/pseudo_labels/{teacher}/manifest.csv",
        ranking="<results>/pseudo_labels/{teacher}/ranking.csv",
        labels="<results>/pseudo_labels/{teacher}/labels.csv",
    log:
        "<logs>/pseudo_labels/{teacher}/labels.log",
    wildcard_constraints:
        teacher=r"fold\d+|ensemble",
    priority: FIRST_OF_ALL
    conda:
        "../../envs/environment.yaml"
    params:
        **PLAN.provenance.of("workflow/scripts/pseudo_labels.py"),
        cars=SECOND.choice_arguments(),
        geometry=config["geometry"],
        masks=lambda wc, output: str(Path(output.manifest).parent / "masks"),
    shell:
        "python workflow/scripts/pseudo_labels.py"
        " --candidates {input.candidates:q}"
        " --manifest {input.manifest:q}"
        " --training-manifest {input.training:q}"
        " {params.cars}"
        " --geometry {params.geometry}"
        " --masks {params.masks:q}"
        " --out {output.manifest:q}"
        " --ranking {output.ranking:q}"
        " --labels {output.labels:q}"
        " 2>&1 | tee {log:q}"
