# The four ways in which the authors divided the training cars.


rule folds:
    input:
        manifest="<results>/data/train.csv",
    output:
        folds="<results>/folds/{scheme}.csv",
    log:
        "<logs>/folds/{scheme}.log",
    params:
        **provenance("workflow/scripts/folds.py"),
        number=lambda wc: config["folds"] or AUTHORS_FOLDS[wc.scheme],
        expected=lambda wc: (
            f"--expected-digest {PUBLISHED['fold_digests'][wc.scheme]}"
            if config["data"]["expect_published"] and config["folds"] is None
            else ""
        ),
    shell:
        "python workflow/scripts/folds.py"
        " --manifest {input.manifest:q}"
        " --scheme {wildcards.scheme}"
        " --folds {params.number}"
        " --out {output.folds:q}"
        " {params.expected}"
        " 2>&1 | tee {log:q}"
