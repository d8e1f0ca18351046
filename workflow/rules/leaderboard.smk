# Kaggle's own verdict: only on request, and no file twice.


rule submit:
    input:
        submissions=lambda wc: PLAN.submissions.to_send(),
    output:
        scores="<results>/leaderboard.json",
    log:
        "<logs>/submit.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        **PLAN.provenance.of("workflow/scripts/submit.py"),
        competition=PLAN.competition.name,
        edition=PLAN.edition,
        submissions=PLAN.submissions.arguments(),
        data=str(PLAN.competition.folder),
        work_dir=str(PLAN.competition.images),
        geometry=config["geometry"],
        ledger=str(PLAN.submissions.ledger),
    shell:
        "python workflow/scripts/submit.py"
        " {params.submissions}"
        " --competition {params.competition} --edition {params.edition}"
        " --data {params.data:q}"
        " --work-dir {params.work_dir:q}"
        " --geometry {params.geometry}"
        " --ledger {params.ledger:q}"
        " --out {output.scores:q}"
        " 2>&1 | tee {log:q}"


rule leaderboard:
    input:
        scores="<results>/leaderboard.json",
    log:
        "<logs>/leaderboard.log",
    conda:
        "../../envs/environment.yaml"
    params:
        **PLAN.provenance.of("workflow/scripts/leaderboard.py"),
        published="config/published.yaml",
    shell:
        "python workflow/scripts/leaderboard.py"
        " --scores {input.scores:q}"
        " --published {params.published:q}"
        " 2>&1 | tee {log:q}"
