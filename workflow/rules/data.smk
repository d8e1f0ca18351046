# From a competition's files to manifests: every image checked, hashed and, for a small run, reduced.


rule draw_synthetic:
    output:
        train="<results>/competition/train_hq.zip",
        masks="<results>/competition/train_masks.zip",
        test="<results>/competition/test_hq.zip",
        metadata="<results>/competition/metadata.csv",
        names="<results>/competition/sample_submission.csv",
        solution="<results>/competition/solution.csv",
    log:
        "<logs>/draw_synthetic.log",
    conda:
        "../../envs/environment.yaml"
    params:
        **PLAN.provenance.of("workflow/scripts/draw_synthetic.py"),
        # In one text: Snakemake does not see that two numbers have changed places.
        drawn=PLAN.competition.drawing_arguments(),
        geometry=config["geometry"],
    shell:
        "python workflow/scripts/draw_synthetic.py"
        ' --out "$(dirname {output.train:q})"'
        " {params.drawn}"
        " --geometry {params.geometry}"
        " --archives"
        " 2>&1 | tee {log:q}"


rule intake:
    input:
        rules.draw_synthetic.output if PLAN.synthetic else [],
        # Ancient: a download job that runs again, as after a change in its code, must not make everything anew.
        receipts=ancient(lambda wc: PLAN.competition.intake_receipts(wc.split)),
    output:
        manifest="<results>/data/{split}.csv",
    log:
        "<logs>/intake/{split}.log",
    # Bad images are to be found before weeks of training.
    priority: FIRST_OF_ALL
    conda:
        "../../envs/environment.yaml"
    threads: config["threads"]
    params:
        **PLAN.provenance.of("workflow/scripts/intake.py"),
        data=str(PLAN.competition.folder),
        listing=lambda wc: PLAN.competition.intake_listing(wc.split),
        geometry=config["geometry"],
        work_dir=str(PLAN.competition.images),
        expected=lambda wc: PLAN.competition.counts_arguments(wc.split),
        # As a function of the resources, since a job need not run again when it changes.
        quiet=lambda wc, resources: PLAN.quiet_argument,
    shell:
        "python workflow/scripts/intake.py"
        " --data {params.data:q}"
        " --split {wildcards.split}"
        " --geometry {params.geometry}"
        " --work-dir {params.work_dir:q}"
        " --manifest {output.manifest:q}"
        " --workers {threads}"
        " {params.expected} {params.quiet}"
        " 2>&1 | tee {log:q}"
