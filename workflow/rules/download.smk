# The competition's files from Kaggle. They lie outside the outputs, once for all runs; a receipt says what they are.

# As a limit of the workflow itself: one in a profile would be lost with the first --resources on the command line.
if "downloads" not in workflow.global_resources:
    workflow.register_resource("downloads", config["data"]["parallel_downloads"])


rule download_file:
    output:
        receipt="<results>/download/{name}.json",
    log:
        "<logs>/download/{name}.log",
    wildcard_constraints:
        name="|".join(PLAN.published["files"]),
    localrule: True
    conda:
        "../../envs/environment.yaml"
    resources:
        downloads=1,
    params:
        **PLAN.provenance.of("workflow/scripts/download.py"),
        competition=PLAN.competition.name,
        files=lambda wc: PLAN.competition.remote_names(wc.name),
        size=lambda wc: PLAN.competition.size_argument(wc.name),
        folder=str(PLAN.competition.folder),
        # As a function of the resources, since a job need not run again when it changes.
        quiet=lambda wc, resources: PLAN.quiet_argument,
    shell:
        "python workflow/scripts/download.py"
        " --competition {params.competition}"
        " --name {wildcards.name}"
        " --files {params.files}"
        " --folder {params.folder:q}"
        " --receipt {output.receipt:q}"
        " {params.size} {params.quiet}"
        " 2>&1 | tee {log:q}"


rule download:
    input:
        lambda wc: PLAN.competition.all_receipts(),
