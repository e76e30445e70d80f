"""The little of the shell that launch scripts use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.seed_import.secrets import is_secret
from rrm.seed_import.shell import read_script


def words(text: str, **variables: str) -> list[str]:
    return [word.text for word in read_script(text, variables=variables).commands[-1]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run a=1 b=2", ["a=1", "b=2"]),
        ("run a=1 \\\n  b=2 \\\r\n  c=3", ["a=1", "b=2", "c=3"]),
        ("run 'a b' \"c d\" e\\ f", ["a b", "c d", "e f"]),
        ("X=1\nrun $X ${X} '$X' \"$X\" pre${X}post", ["1", "1", "$X", "1", "pre1post"]),
        ("run ${X:-2} ${X-3} \"${X:-'4'}\" ${X:-${Y:-5}}", ["2", "3", "4", "5"]),
        ("X=; run ${X}end", ["end"]),
        ("X=1; Y=${X}2\nrun $Y", ["12"]),
        ("run a # b\n# run c", ["a"]),
        ("run a#b", ["a#b"]),
        ("run b \\\n # c \\\nrun a", ["a"]),
        ("run a `# why` \\\n b", ["a", "b"]),
        ("run \"a\\\nb\" 'c\\\nd'", ["ab", "c\\\nd"]),
        ("X=''\nrun ${X:-2} [${X-3}]", ["2", "[]"]),
        ("cat > f <<EOF\nit's \"odd\nEOF\nrun a", ["a"]),
        ("cat <<-'END' | sh\n\trun b\n\tEND\nrun a", ["a"]),
        ("run a <<< b", ["a", "<<<", "b"]),
        ("run a; echo b", ["b"]),
        ("run a && echo b | tee c", ["c"]),
        ("export A=1 B=2\nrun $A$B", ["12"]),
        ("run a=['x','y']", ["a=[x,y]"]),
        ("run \"a=['x','y']\"", ["a=['x','y']"]),
        ("run \"say \\\"hi\\\"\"", ['say "hi"']),
    ],
)  # fmt: skip
def test_words_are_the_shells(text: str, expected: list[str]) -> None:
    assert words(text)[1:] == expected


@pytest.mark.parametrize(
    ("text", "unresolved"),
    [
        ("run $X", ["${X}"]),
        ("run ${X}", ["${X}"]),
        ("Y=a-$X\nrun $Y", ["${X}"]),
        ("run $(date +%Y)", ["$(date +%Y)"]),
        ("T=\"$(date +\"%Y\")\"\nrun $T", ["$(date +%Y)"]),
        ("run `hostname`", ["`hostname`"]),
        ("run $((2 * 4))", ["$((2 * 4))"]),
        ("run \"$@\"", ["$@"]),
        ("run ${X:?needed}", ["${X}"]),
        ("X=7 run $X", ["${X}"]),  # a shell expands before it assigns
        ("run ${X%.sh}", ["${X%.sh}"]),
    ],
)  # fmt: skip
def test_what_only_a_shell_knows_is_reported(text: str, unresolved: list[str]) -> None:
    assert list(read_script(text).commands[-1][1].unresolved) == unresolved


def test_variables_from_outside_win_as_defaults_expect() -> None:
    assert words("X=${X:-1}\nrun $X", X="9")[1:] == ["9"]
    assert words("X=1\nrun $X", X="9")[1:] == ["9"]


def test_a_word_knows_whose_values_it_holds() -> None:
    word = read_script("KEY=k\nURL=http://$KEY\nrun a=$URL").commands[-1][1]
    assert word.variables >= {"KEY", "URL"}


def test_only_exported_variables_reach_the_trainer() -> None:
    script = read_script("A=1\nexport B=2\nC=3\nexport C\nD=4 run x\ndeclare -x E=5")
    assert script.exported >= {"B", "C", "D"}
    assert "A" not in script.exported


@given(st.text(alphabet="aA1=${}()`'\"\\#;&|\n -:?.[]", max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    script = read_script(text)
    assert all(command for command in script.commands)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WANDB_API_KEY", "x"),
        ("SWANLAB_API_KEY", ""),
        ("HF_TOKEN", "x"),
        ("DB_PASSWORD", "x"),
        ("trainer.api_token", "x"),
        ("GOOGLE_CREDENTIALS", "x"),
        ("NOTE", "hf_abcdefghijklmnop"),
        ("NOTE", "AKIAABCDEFGHIJKLMNOP"),
        ("NOTE", "LTAIABCDEFGHIJKLMNOP"),
        ("NOTE", "github_pat_ABCDEFGHIJKLMNOP"),
        ("NOTE", "eyJhbGciOiJIUzI1NiJ9.e30.x"),
        ("NOTE", "0123456789abcdef0123456789abcdef01234567"),
        ("NOTE", "-----BEGIN PRIVATE KEY-----"),
        ("HTTPS_PROXY", "http://me:secret@proxy:3128"),
    ],
)
def test_secrets_are_known_by_name_or_look(name: str, value: str) -> None:
    assert is_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOKENIZERS_PARALLELISM", "true"),
        ("data.prompt_key", "input"),
        ("actor_rollout_ref.actor.ppo_max_token_len_per_gpu", "16384"),
        ("WANDB_BASE_URL", "https://tracking.example.com:8080"),
        ("MONKEY", "x"),
    ],
)
def test_what_only_sounds_like_a_secret_is_none(name: str, value: str) -> None:
    assert not is_secret(name, value)
