"""Plain English: no hard word comes back, sentences are short, and what measures it is right."""

import re
from collections import defaultdict

import pytest
from helpers import readability
from helpers.hard_words import Kept, hard_words, kept, still_hard
from helpers.reader_text import Text, documentation, everything, template_texts

from ageingwell.features.build import FEATURES

WORDS = hard_words()
LONGEST_MEDIAN = 18


@pytest.fixture(scope="module")
def texts() -> list[Text]:
    return everything()


# The guard


def test_no_hard_word_stands_in_any_text_that_a_reader_meets(texts):
    assert still_hard(texts, WORDS, kept()) == []


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.found)
def test_each_pattern_finds_what_we_wrote_and_not_what_to_write(word):
    assert word.hard.search(word.found)
    assert not [other.hard.pattern for other in WORDS if other.hard.search(word.instead)]


@pytest.mark.parametrize(
    "plain",
    [
        "Can they stand up from a chair?",
        "A nurse stands in for the doctor",
        "Nobody came to the door",
        "The service comes to people at home",
        "Tell the chair",
        "Tell them who you are",
        "The council holds records about them",
        "There is no model of this name",
        "The list is no longer current",
        "How many homes an agency can visit",
        "It fell on a Monday or a weekday",
        "15 visits per week",
        "Estimated separately",
        "Ask them before the visit",
    ],
)
def test_plain_words_are_left_alone(plain):
    assert still_hard([Text("page.md", 1, plain)], WORDS) == []


def test_no_sentence_of_a_feature_says_no_a():
    """The sentence for what is not there is made of the one for what is: "an emollient cream" lost its article."""
    said = [feature.absent for feature in FEATURES if feature.absent is not None]

    assert [sentence for sentence in said if re.search(r"\bno an? ", sentence)] == []


def test_what_is_kept_is_there_and_is_hard(texts):
    """An exception that covers nothing any more has to go."""
    idle = [one for one in kept() if not still_hard([text for text in texts if text.file == one.file], WORDS)]

    assert idle == []
    assert all(one.reason for one in kept())


def test_only_the_text_that_is_kept_is_spared():
    text = Text("page.md", 3, "People at one door. The law says “one door”")

    assert len(still_hard([text], WORDS)) == 2
    assert len(still_hard([text], WORDS, [Kept("page.md", "The law says “one door”", "the law's words")])) == 1


def test_what_a_template_fills_in_and_its_marks_are_no_words(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<p>{# door #}{% if door %}Visit <b>{{ doors }}</b> homes{% endif %}</p>\n<p>Then call</p>")

    assert [(text.line, text.text) for text in template_texts(page)] == [(1, "Visit X homes"), (2, "Then call")]


# Readability


def test_half_of_the_sentences_of_each_page_are_short():
    by_page = defaultdict(list)
    for text in documentation():
        by_page[text.file].append(text.text)
    long = {
        page: median for page, said in by_page.items() if (median := readability.median_sentence(said)) > LONGEST_MEDIAN
    }

    assert long == {}


def test_half_of_the_sentences_of_messages_help_and_settings_are_short(texts):
    by_kind = defaultdict(list)
    for text in texts:
        by_kind["settings" if text.file.startswith("configs") else re.split(r"[/ ]", text.file)[0]].append(text.text)

    medians = {kind: readability.median_sentence(said) for kind, said in by_kind.items()}

    assert set(medians) == {"src", "ageingwell", "settings", "docs", "README.md"}
    assert max(medians.values()) <= LONGEST_MEDIAN


# From the article "Flesch-Kincaid readability tests" of Wikipedia, which prints the reading ease of each.
@pytest.mark.parametrize(
    ("sentence", "ease"),
    [
        ("The cat sat on the mat.", 116),
        ("This sentence, taken as a reading passage unto itself, is being used to prove a point.", 69),
    ],
)
def test_the_reading_ease_is_that_of_published_examples(sentence, ease):
    assert round(readability.reading_ease(sentence)) == ease


def test_the_reading_age_is_the_grade_and_five_years():
    """By hand: 10 words in 2 sentences, 14 syllables: 0.39 * 5 + 11.8 * 1.4 - 15.59 = 2.88."""
    assert readability.reading_age(["The doctor can visit today. Tell them who is coming."]) == pytest.approx(7.88)


# Counted by hand, as a dictionary divides them.
SYLLABLES = """
1 the me here where one care lived moved asked stopped used home times risk needs heart falls weeks
2 reading people practice being create science social needed agreed visits places changes patient someone something
2 statement likely safety lonely outcome frailty alone older housing sector older rescue table little smoking
3 agency recorded area idea period usual medicine services hospital officer suggested recently created family radio
3 oxygen medical memory musician guardian quality actual
4 january evaluate emergency independence voluntary material deprivation ability reptilian
5 evaluation
"""


@pytest.mark.parametrize("line", SYLLABLES.strip().splitlines())
def test_syllables_are_counted_as_a_dictionary_divides_words(line):
    number, *words = line.split()

    assert {word: readability.syllables(word) for word in words} == dict.fromkeys(words, int(number))
