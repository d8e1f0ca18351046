import subprocess

from carvana.leaderboard.description import commit_of, describe, file_mark

DIGEST = "sha256:" + "ab" * 32


def git(folder, *arguments):
    command = ["git", "-C", folder, "-c", "user.name=t", "-c", "user.email=t@localhost", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_commit_edition_image_and_file_are_named():
    sha256 = "0123456789abcdef" * 4
    assert describe("9a1f278a7b6c", "released", DIGEST, sha256) == (
        "carvana commit 9a1f278a7b6c, recipes released, image sha256:abababababab, file 0123456789abcdef"
    )
    assert (
        describe("unknown", "released", "", sha256) == "carvana commit unknown, recipes released, file 0123456789abcdef"
    )
    assert file_mark(sha256) in describe("unknown", "released", "", sha256)


def test_the_commit_says_when_files_differ_from_it(tmp_path):
    assert commit_of(tmp_path) == "unknown"
    git(tmp_path, "init")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-m", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")[:12]
    (tmp_path / "results").write_text("is not tracked")
    assert commit_of(tmp_path) == commit
    (tmp_path / "a").write_text("2")
    assert commit_of(tmp_path) == f"{commit}+changes"
