# Submissions in Kaggle's form, checked as Kaggle would.


rule submission:
    input:
        PLAN.submissions.wanted(),


rule write_submission:
    input:
        masks=lambda wc: PLAN.maps.masks_of(wc.name),
    output:
        submission="<results>/submissions/{name}.csv.gz",
    log:
        "<logs>/submissions/{name}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        **PLAN.provenance.of("workflow/scripts/submission.py"),
        data=str(PLAN.competition.folder),
        work_dir=str(PLAN.competition.images),
        geometry=config["geometry"],
    shell:
        "python workflow/scripts/submission.py"
        " --data {params.data:q}"
        " --work-dir {params.work_dir:q}"
        " --masks {input.masks:q}"
        " --geometry {params.geometry}"
        " --out {output.submission:q}"
        " 2>&1 | tee {log:q}"
