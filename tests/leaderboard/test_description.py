from carvana.leaderboard.description import describe, file_mark

DIGEST = "sha256:" + "ab" * 32


def test_commit_edition_image_and_file_are_named():
    sha256 = "0123456789abcdef" * 4
    assert describe("9a1f278a7b6c" + "0" * 28, "released", DIGEST, sha256) == (
        "carvana commit 9a1f278a7b6c, recipes released, image sha256:abababababab, file 0123456789abcdef"
    )
    assert (
        describe("unknown", "released", "", sha256) == "carvana commit unknown, recipes released, file 0123456789abcdef"
    )
    assert file_mark(sha256) in describe("unknown", "released", "", sha256)


def test_files_that_differ_from_the_commit_are_told():
    assert describe("9a1f278a7b6c" + "0" * 28 + "-dirty", "released", "", "0" * 64).startswith(
        "carvana commit 9a1f278a7b6c-dirty, recipes"
    )
