"""A quote is found where it stands, however it is typed, and nowhere else."""

import random
import unicodedata
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clawswarm.modes.research_quotes import normal, stands_in

LETTERS = "abcdefghijklmnopqrstuvwxyzäöüßéñçøåğışłžčαβγδωабвгдеж"
WORD = st.text(LETTERS + LETTERS.upper() + "0123456789'’", min_size=1, max_size=12).filter(
    lambda word: any(character.isalnum() for character in word)
)
GAP = st.sampled_from(
    [
        " ",
        "  ",
        "\n",
        "\u00a0",
        "\t",
        ", ",
        ". ",
        " – ",
        " - ",
        "; ",
        " “",
        "” ",
        ' "',
        " (",
        ") ",
        "… ",
        "\u2009",
    ]
)
TEXT = st.lists(st.tuples(WORD, GAP), min_size=8, max_size=60)

SWAPS = {
    "'": "‘’ʼ′`",
    "’": "'‘",
    '"': "“”„«»",
    "“": '"„«',
    "”": '"»‟',
    "-": "‐‑‒–—−",
    "–": "-—‒",
    " ": "\n\t\u00a0\u3000",
}
OMISSIONS = ("…", "...", " … ", "[...]", " [...] ", " […] ", "....")


def joined(pairs: list[tuple[str, str]]) -> str:
    return "".join(word + gap for word, gap in pairs)


def passage_of(pairs: list[tuple[str, str]], start: int, length: int) -> str:
    """Whole words of a text, with what stands between them."""
    chosen = pairs[start : start + length]
    return joined(chosen[:-1]) + chosen[-1][0] if chosen else ""


def long_enough(passage: str) -> bool:
    bare = normal(passage).strip(" .,:;!?\"'()[]")
    return len(bare) >= 15 and len(bare.split()) >= 3


@st.composite
def cuts(draw: st.DrawFn) -> tuple[list[tuple[str, str]], str]:
    """A text, and a passage of it that is long enough to prove something."""
    pairs = draw(TEXT)
    start = draw(st.integers(0, len(pairs) - 3))
    passage = passage_of(pairs, start, draw(st.integers(3, 40)))
    assume(long_enough(passage))
    return pairs, passage


@given(cuts())
def test_any_passage_of_a_text_stands_in_it(cut: tuple[list[tuple[str, str]], str]) -> None:
    pairs, passage = cut
    assert stands_in(passage, normal(joined(pairs)))


@given(cuts(), st.randoms(use_true_random=False), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_however_it_is_typed(
    cut: tuple[list[tuple[str, str]], str], chance: random.Random, form: Any
) -> None:
    pairs, passage = cut
    typed = "".join(
        chance.choice([character, *SWAPS.get(character, "")])
        if character not in LETTERS
        else chance.choice([character, character.upper() if len(character.upper()) == 1 else character])
        for character in passage
    )
    typed = unicodedata.normalize(form, chance.choice([typed, f"“{typed}”", f"({typed}).", f"  {typed}\n"]))
    assume("ı" not in passage.lower())  # its upper case is that of another letter
    assert stands_in(typed, normal(joined(pairs)))


@given(cuts(), st.data())
def test_a_changed_word_does_not_stand_there(
    cut: tuple[list[tuple[str, str]], str], data: st.DataObject
) -> None:
    pairs, passage = cut
    words = passage.split()
    at = data.draw(st.integers(0, len(words) - 1))
    words[at] = "qwxqwx"
    assert not stands_in(" ".join(words), normal(joined(pairs)))


@given(cuts(), st.sampled_from(["not", "un", "1", "0"]), st.booleans())
def test_part_of_a_word_does_not_count(
    cut: tuple[list[tuple[str, str]], str], more: str, before: bool
) -> None:
    """Able is not unable, and 5 is not 15."""
    _, passage = cut
    bare = normal(passage).strip(" .,:;!?\"'()[]-")
    assume(long_enough(bare))
    assume(bare[0].isalnum() and bare[-1].isalnum())
    text = f"It was {more}{bare} there." if before else f"It was {bare}{more} there."
    assume(bare not in f"it was {more} there")
    assert not stands_in(bare, normal(text))


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("able to fly over long distances", "Penguins are unable to fly over long distances."),
        ("5 percent in the year 2019", "It grew by 15 percent in the year 2019."),
        ("5 percent in the year 2019", "It grew by 1.5 percent in the year 2019."),
        ("it costs no more than 5", "It costs no more than 5,000 dollars."),
        ("it costs no more than 5", "It costs no more than 5.5 dollars."),
        ("the ferry was built in 198", "The ferry was built in 1987."),
    ],
)
def test_a_number_or_a_word_is_not_cut_at_its_edge(quote: str, text: str) -> None:
    assert not stands_in(quote, normal(text))


def test_a_later_place_counts_where_an_earlier_one_cuts_a_word() -> None:
    text = "Some are unable to fly over long distances. Others are able to fly over long distances."
    assert stands_in("able to fly over long distances", normal(text))


def test_a_quote_may_end_with_the_sentence() -> None:
    text = "It costs no more than 5. The ferry was built in 1987, they say."
    assert stands_in("It costs no more than 5.", normal(text))
    assert stands_in("the ferry was built in 1987", normal(text))


@given(cuts(), st.sampled_from(OMISSIONS), st.data())
def test_omissions_count_in_order_only(
    cut: tuple[list[tuple[str, str]], str], omission: str, data: st.DataObject
) -> None:
    pairs, _ = cut
    first = data.draw(st.integers(0, len(pairs) // 2 - 2))
    second = data.draw(st.integers(len(pairs) // 2, len(pairs) - 3))
    one = passage_of(pairs, first, len(pairs) // 2 - first)
    two = passage_of(pairs, second, len(pairs) - second)
    assume(long_enough(one) and long_enough(two) and "…" not in one + two)
    text = normal(joined(pairs))
    assert stands_in(f"{one}{omission}{two}", text)
    assume(text.find(normal(one), text.find(normal(two))) < 0)
    assert not stands_in(f"{two}{omission}{one}", text)


@given(cuts(), st.sampled_from(["…", "...", "[...]"]))
def test_a_part_of_a_quote_that_proves_nothing_spoils_it(
    cut: tuple[list[tuple[str, str]], str], omission: str
) -> None:
    pairs, passage = cut
    assume("…" not in joined(pairs))
    assert not stands_in(f"{passage} {omission} qx", normal(f"{joined(pairs)} and qx"))


def test_a_quote_that_is_mostly_space_takes_no_time() -> None:
    assert not stands_in("the ferry" + " " * 300_000 + "was", normal("the ferry is fast"))
    assert stands_in("the ferry was" + " \t" * 300_000 + "fast", normal("the ferry was fast"))


def test_an_ellipsis_of_the_page_itself_is_no_omission() -> None:
    text = normal("Well… that was the fastest ferry of them all. Wait... for the next one.")
    assert stands_in("Well… that was the fastest ferry", text)
    assert stands_in("Well... that was the fastest ferry", text)
    assert stands_in("of them all. Wait… for the next one", text)


@given(TEXT, st.integers(0, 50), st.integers(1, 14))
def test_short_quotes_prove_nothing(pairs: list[tuple[str, str]], start: int, length: int) -> None:
    text = normal(joined(pairs))
    assert not stands_in(text[start : start + length], text)
    words = [word for word, _ in pairs]
    assert not stands_in(" ".join(words[:2]), normal(" ".join(words)))


@pytest.mark.parametrize("quote", ["", "   ", "…", "[...]", '"', "()", "....", "- - -", "\n"])
def test_nothing_stands_nowhere(quote: str) -> None:
    assert not stands_in(quote, normal("a text - - - with … all of it ()"))


CJK = (
    "東京は日本の首都であり、世界で最も人口の多い都市圏のひとつです。北京是中国的首都。"
    "서울은 대한민국의 수도입니다"
)


@given(st.integers(0, len(CJK) - 9), st.integers(9, 30))
def test_scripts_without_spaces_count_characters(start: int, length: int) -> None:
    passage = CJK[start : start + length]
    assume(sum(not character.isspace() for character in passage.strip("、。 ")) >= 8)
    assume(start + length >= len(CJK) or not CJK[start + length - 1 : start + length + 1].isascii())
    assert stands_in(passage, normal(f"前書き。{CJK}。後書き"))
    assert not stands_in(passage[:5], normal(CJK))
    assert not stands_in(f"{passage[:4]}違{passage[5:]}", normal(CJK))


def test_full_width_letters_are_letters() -> None:
    assert stands_in("Ｔｈｅ ｆｅｒｒｙ ｗａｓ ｆａｓｔ", normal("the ferry was fast"))


@given(st.text(max_size=80))
def test_any_text_can_be_looked_for(text: str) -> None:
    assert isinstance(stands_in(text, normal(text)), bool)


@given(st.text(st.characters(codec="ascii"), max_size=80))
def test_what_is_normal_stays_so(text: str) -> None:
    assert normal(normal(text)) == normal(text)
