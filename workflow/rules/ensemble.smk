# From sums of 8-bit maps to masks, members' and the ensemble's, and to submissions.


rule merge:
    input:
        sums=lambda wc: [sums(model, wc.part) for model in models_of(wc.recipe)],
    output:
        maps="<results>/maps/{recipe}/{part}.h5",
        masks="<results>/masks/{recipe}/{part}.csv",
    log:
        "<logs>/merge/{recipe}/{part}.log",
    params:
        **provenance("workflow/scripts/merge.py"),
        rules=lambda wc: recipe_digest(models_of(wc.recipe)[0], ("merge", "submission")),
        model=lambda wc: models_of(wc.recipe)[0],
    shell:
        "python workflow/scripts/merge.py"
        " --model {params.model}"
        " --name {wildcards.recipe}"
        " --sums {input.sums:q}"
        " --out {output.maps:q}"
        " --masks {output.masks:q}"
        " 2>&1 | tee {log:q}"


rule model_masks:
    input:
        sums=lambda wc: sums(wc.model, wc.part),
    output:
        masks="<results>/masks/{model}/{part}.csv",
    log:
        "<logs>/merge/{model}/{part}.log",
    wildcard_constraints:
        model="|".join(model for model in MODELS if model not in RECIPES),
    params:
        **provenance("workflow/scripts/merge.py"),
        rules=lambda wc: recipe_digest(wc.model, ("merge", "submission")),
    shell:
        "python workflow/scripts/merge.py"
        " --model {wildcards.model}"
        " --name {wildcards.model}"
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
        report="<results>/masks/ensemble/{part}.json",
    log:
        "<logs>/ensemble/{part}.log",
    params:
        **provenance("workflow/scripts/ensemble.py"),
        geometry=config["geometry"],
    shell:
        "python workflow/scripts/ensemble.py"
        " --ternausnet {input.ternausnet:q}"
        " --linknet34 {input.linknet34:q}"
        " --unet-scratch {input.unet_scratch:q}"
        " --unet-vgg11 {input.unet_vgg11:q}"
        " --geometry {params.geometry}"
        " --out {output.masks:q}"
        " --report {output.report:q}"
        " 2>&1 | tee {log:q}"


rule submission:
    input:
        manifest="<results>/data/test.csv",
        masks=lambda wc: [
            f"<results>/masks/{SUBMISSIONS.get(wc.name, wc.name)}/{part}.csv"
            for part in TEST_PARTS
        ],
    output:
        submission="<results>/submissions/{name}.csv.gz",
    log:
        "<logs>/submissions/{name}.log",
    params:
        **provenance("workflow/scripts/submission.py"),
        data=DATA,
        work_dir=str(RESULTS / "data"),
        geometry=config["geometry"],
    shell:
        "python workflow/scripts/submission.py"
        " --data {params.data:q}"
        " --work-dir {params.work_dir:q}"
        " --masks {input.masks:q}"
        " --geometry {params.geometry}"
        " --out {output.submission:q}"
        " 2>&1 | tee {log:q}"
