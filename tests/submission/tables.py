"""Tables of masks, written as a test likes."""


def table(path, rows, header="img,rle_mask", more=""):
    path.write_text("".join(f"{line}\n" for line in [header, *(f"{name},{rle}{more}" for name, rle in rows)]))
    return path
