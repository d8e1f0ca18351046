# ImageNet weights of the encoders: downloaded once for all runs, or the user's, and verified either way.


def encoder_file(encoder):
    """Where the ImageNet weights of an encoder lie: with the user, or beside the results of all runs once downloaded."""
    given = config["encoder_weights"]
    folder = (
        given["folder"]
        if given["source"] == "folder"
        else Path(config["results"], "encoders")
    )
    return str(Path(folder, PUBLISHED["encoders"][encoder]))


def encoder_input(wildcards):
    encoder = load_recipe(wildcards.model).network.encoder
    if encoder is None or config["encoder_weights"]["source"] == "random":
        return []
    return f"<results>/encoders/{encoder}.json"


def encoder_argument(wildcards):
    if not encoder_input(wildcards):
        return ""
    return f"--encoder-weights {encoder_file(load_recipe(wildcards.model).network.encoder)}"


rule encoder_weights:
    output:
        receipt="<results>/encoders/{encoder}.json",
    log:
        "<logs>/encoders/{encoder}.log",
    params:
        **provenance("workflow/scripts/encoder_weights.py"),
        origin=lambda wc: (
            f"--url {config['encoder_weights']['url']}/{PUBLISHED['encoders'][wc.encoder]}"
            if config["encoder_weights"]["source"] == "imagenet"
            else ""
        ),
        file=lambda wc: encoder_file(wc.encoder),
    shell:
        "python workflow/scripts/encoder_weights.py"
        " --encoder {wildcards.encoder}"
        " --file {params.file:q}"
        " --receipt {output.receipt:q}"
        " {params.origin}"
        " 2>&1 | tee {log:q}"
