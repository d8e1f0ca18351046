# Training: one job per network, a model's fold.


def encoder_file(encoder):
    """Where the ImageNet weights of an encoder lie: with the user, or beside the results of all runs once downloaded."""
    given = config["encoder_weights"]
    folder = given["folder"] if given["source"] == "folder" else Path(config["results"], "encoders")
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


rule train:
    input:
        manifest="<results>/data/train.csv",
        folds=lambda wc: f"<results>/folds/{load_recipe(wc.model).folds.scheme}.csv",
        encoder=encoder_input,
    output:
        weights="<results>/models/{model}/fold{fold}/weights.safetensors",
        history="<results>/models/{model}/fold{fold}/history.csv",
        recipe="<results>/models/{model}/fold{fold}/recipe.yaml",
        timings="<results>/models/{model}/fold{fold}/timings.json",
    log:
        "<logs>/train/{model}/fold{fold}.log",
    params:
        **recipe_provenance("workflow/scripts/train.py"),
        geometry=config["geometry"],
        epochs=lambda wc: (
            f"--epochs {config['epochs'][recipe_of(wc.model)]}" if config["epochs"][recipe_of(wc.model)] else ""
        ),
        seed=config["seed"],
        precision=config["precision"],
        encoder=encoder_argument,
        tensorboard="<results>/tensorboard/{model}/fold{fold}",
        gpus=1,
        workers=config["workers"],
        quiet=QUIET,
    threads: config["threads"]
    resources:
        gpu=1,
    shell:
        "python workflow/scripts/train.py"
        " --model {wildcards.model}"
        " --fold {wildcards.fold}"
        " --manifest {input.manifest:q}"
        " --folds {input.folds:q}"
        " --geometry {params.geometry}"
        " --seed {params.seed}"
        " --precision {params.precision}"
        " --gpus-wanted {params.gpus} --gpus-granted {resources.gpu}"
        " --threads {threads} --workers {params.workers}"
        " --weights {output.weights:q}"
        " --history {output.history:q}"
        " --recipe {output.recipe:q}"
        " --timings {output.timings:q}"
        " --tensorboard {params.tensorboard:q}"
        " {params.epochs} {params.encoder} {params.quiet}"
        " 2>&1 | tee {log:q}"
