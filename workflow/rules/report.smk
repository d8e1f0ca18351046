# What to think of a run: one page, and the list of masks that all models contradict.


rule analysis:
    input:
        manifest="<results>/data/train.csv",
        maps=[f"<results>/oof/{model}/maps.h5" for model in PLAN.merged],
    output:
        table="<results>/analysis.csv",
        audit=report(
            "<results>/mask_audit.csv",
            caption="../report/mask_audit.rst",
            category="Masks",
        ),
    log:
        "<logs>/analysis.log",
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    params:
        **PLAN.provenance.of("workflow/scripts/analysis.py"),
        rules=[PLAN.provenance.of_merging(recipe) for recipe in RECIPES],
        edition=PLAN.edition,
        common=PLAN.networks.common_argument(PLAN.merged, "train"),
        geometry=config["geometry"],
    shell:
        "python workflow/scripts/analysis.py"
        " --manifest {input.manifest:q}"
        " --maps {input.maps:q}"
        " --geometry {params.geometry} --edition {params.edition}"
        " --threads {threads}"
        " --out {output.table:q}"
        " --audit {output.audit:q}"
        " {params.common}"
        " 2>&1 | tee {log:q}"


rule report:
    input:
        analysis="<results>/analysis.csv",
        verification="<results>/verification.json",
        scores="<results>/scores.json",
        manifest="<results>/data/train.csv",
        maps=[f"<results>/oof/{model}/maps.h5" for model in PLAN.merged],
        masks=lambda wc: PLAN.reporting.masks(),
        networks=PLAN.networks.all_weights(),
        predictions=[
            PLAN.maps.sums(model, part)
            for model in PLAN.merged
            for part in PLAN.test_parts
        ],
        published="config/published.yaml",
        pseudo=PLAN.reporting.pseudo_labels(),
        receipts=ancient(PLAN.competition.receipts(["metadata"])),
    output:
        page=report(
            "<results>/report.html",
            caption="../report/report.rst",
            category="Report",
        ),
    log:
        "<logs>/report.log",
    conda:
        "../../envs/environment.yaml"
    params:
        **PLAN.provenance.of("workflow/scripts/report.py"),
        looks=PLAN.reporting.looks_digest(),
        models=PLAN.reporting.model_arguments(),
        test_parts=" ".join(PLAN.test_parts),
        edition=PLAN.edition,
        common=PLAN.networks.common_argument(PLAN.merged, "train"),
        results=lambda wc, output: str(Path(output.page).parent),
        data=str(PLAN.competition.folder),
        metadata=PLAN.competition.listing(["metadata"]),
        work_dir=str(PLAN.competition.images),
        rounds=PLAN.reporting.pseudo_labels_arguments(),
        other=PLAN.reporting.other_edition_argument(),
        other_scores=PLAN.reporting.other_edition_digest(),
        leaderboard=PLAN.submissions.answer_argument(),
        scored=PLAN.submissions.answer_digest(),
    shell:
        "python workflow/scripts/report.py"
        " --results {params.results:q}"
        " --edition {params.edition}"
        " {params.models} {params.common} {params.leaderboard}"
        " --test-parts {params.test_parts}"
        " {params.rounds} {params.other}"
        " --manifest {input.manifest:q}"
        " --maps {input.maps:q}"
        " --masks {input.masks:q}"
        " --data {params.data:q}"
        " --work-dir {params.work_dir:q}"
        " --published {input.published:q}"
        " --out {output.page:q}"
        " 2>&1 | tee {log:q}"
