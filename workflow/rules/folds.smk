# The four ways in which the authors divided the training cars.


rule folds:
    input:
        manifest="<results>/data/train.csv",
    output:
        folds="<results>/folds/{scheme}.csv",
    log:
        "<logs>/folds/{scheme}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        **PLAN.provenance.of("workflow/scripts/folds.py"),
        number=lambda wc: PLAN.folds.number(wc.scheme),
        expected=lambda wc: PLAN.folds.digest_argument(wc.scheme),
    shell:
        "python workflow/scripts/folds.py"
        " --manifest {input.manifest:q}"
        " --scheme {wildcards.scheme}"
        " --folds {params.number}"
        " --out {output.folds:q}"
        " {params.expected}"
        " 2>&1 | tee {log:q}"
