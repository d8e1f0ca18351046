# Does the reproduction hold? The table is made once and kept; `verify` prints it, and its exit code is the verdict.


rule verification:
    input:
        manifest="<results>/data/train.csv",
        scores=rules.score.output.csv,
        folds=PLAN.folds.tables(),
        weights=PLAN.networks.all_weights(),
        dice=[f"<results>/oof/{model}/dice.csv" for model in PLAN.models],
        published="config/published.yaml",
        conformance="docs/conformance.md",
        bands=PLAN.expectations.bands() or [],
        digits=PLAN.expectations.digits() or [],
    output:
        json="<results>/verification.json",
        junit=report(
            "<results>/verification.xml",
            caption="../report/verification.rst",
            category="Verdict",
        ),
    log:
        "<logs>/verification.log",
    conda:
        "../../envs/environment.yaml"
    params:
        **PLAN.provenance.of("workflow/scripts/verification.py"),
        expectations=PLAN.expectations.arguments(),
        # No input: a result of Kaggle is never made only to be looked at.
        leaderboard=PLAN.submissions.answer_argument(),
        scored=PLAN.submissions.answer_digest(),
        results=lambda wc, output: str(Path(output.json).parent),
    shell:
        "python workflow/scripts/verification.py"
        " --results {params.results:q}"
        " --manifest {input.manifest:q}"
        " {params.expectations} {params.leaderboard}"
        " --published {input.published:q}"
        " --conformance {input.conformance:q}"
        " --json {output.json:q}"
        " --junit {output.junit:q}"
        " 2>&1 | tee {log:q}"


rule verify:
    input:
        verification="<results>/verification.json",
    log:
        "<logs>/verify.log",
    conda:
        "../../envs/environment.yaml"
    params:
        **PLAN.provenance.of("workflow/scripts/verify.py"),
    shell:
        "python workflow/scripts/verify.py"
        " --verification {input.verification:q}"
        " 2>&1 | tee {log:q}"
