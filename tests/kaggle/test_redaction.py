import pytest

from carvana.kaggle.redaction import redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key abcdef is wrong", "key *** is wrong"),
        (
            "403 Client Error for url: https://storage.example/b/train_hq.zip?X-Signature=123&e=4",
            "403 Client Error for url: https://storage.example/b/train_hq.zip?***",
        ),
        ("at http://127.0.0.1:80/f?token=1 (again)", "at http://127.0.0.1:80/f?*** (again)"),
        ("proxy http://me:pass@proxy:3128/", "proxy http://***@proxy:3128/"),
        ("Authorization: Bearer KGAT_x.y-z", "Authorization: Bearer ***"),
        ("Authorization: basic bWU6cGFzcw==", "Authorization: basic ***"),
        ("nothing to hide at https://www.kaggle.com/settings", "nothing to hide at https://www.kaggle.com/settings"),
    ],
)
def test_secrets_are_hidden(text, shown):
    assert redact(text, ["abcdef", ""]) == shown


def test_a_secret_within_a_secret_leaves_nothing():
    assert redact("abcdef abc", ["abc", "abcdef"]) == "*** ***"
