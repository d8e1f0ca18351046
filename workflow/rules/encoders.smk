# ImageNet weights of the encoders: downloaded once for all runs, or the user's, and verified either way.


rule encoder_weights:
    output:
        receipt="<results>/encoders/{encoder}.json",
    log:
        "<logs>/encoders/{encoder}.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        **PLAN.provenance.of("workflow/scripts/encoder_weights.py"),
        origin=lambda wc: PLAN.encoders.url_argument(wc.encoder),
        file=lambda wc: str(PLAN.encoders.file(wc.encoder)),
    shell:
        "python workflow/scripts/encoder_weights.py"
        " --encoder {wildcards.encoder}"
        " --file {params.file:q}"
        " --receipt {output.receipt:q}"
        " {params.origin}"
        " 2>&1 | tee {log:q}"
