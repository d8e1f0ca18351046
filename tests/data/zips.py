"""Zips of a few files, and what was unpacked of them."""

import warnings
import zipfile


def make_zip(path, entries, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a name that comes twice
        for name, content in entries:
            archive.writestr(name, content)
    return path


def found_files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
