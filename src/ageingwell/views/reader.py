"""What one recipient may read, by the ledger: deny unless allowed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

from ageingwell.config.outreach import Interventions, OutreachSettings, Thresholds
from ageingwell.config.score import Ledger
from ageingwell.errors import NotPermittedError
from ageingwell.features.build import FEATURES
from ageingwell.outreach.rules import Fact, NeedRule, need_rules
from ageingwell.register import Recipient, Theme
from ageingwell.views.words import ANY_NEED, NEED_WORDS, WELLBEING, NeedWords

EVERY_THEME: frozenset[str] = frozenset(get_args(Theme))
URGENCY = {"urgent": 0, "soon": 1, "routine": 2}


@dataclass(frozen=True)
class Visit:
    """What a reader is told of a visit whose reason it may not read: the same on every row of its list.

    `needs` are its words, `step` the next step, `say` what a visitor says, `urgency` how soon.
    """

    needs: tuple[str, ...]
    step: str
    say: str
    urgency: str


@dataclass(frozen=True)
class Reader:
    """One recipient, the themes it may read, and whether the ledger lets it see the risk."""

    recipient: Recipient
    themes: frozenset[str]
    shows_risk: bool
    thresholds: Thresholds

    @property
    def reads_risk(self) -> bool:
        """Whether it gets the figure and its order: only who may read every theme the figure is computed from."""
        return self.shows_risk and self.themes >= EVERY_THEME

    @cached_property
    def features(self) -> frozenset[str]:
        """The features whose sentences it may read: theme and reader both have to allow it."""
        return frozenset(
            feature.name for feature in FEATURES if feature.theme in self.themes and self.recipient in feature.readers
        )

    @cached_property
    def _rules(self) -> dict[str, NeedRule]:
        return {rule.name: rule for rule in need_rules(self.thresholds)}

    @cached_property
    def _themes_of_rules(self) -> dict[str, frozenset[str]]:
        """The themes of every fact that each need's rule counts."""
        return {
            name: frozenset().union(*(fact.themes() for fact in rule.facts())) for name, rule in self._rules.items()
        }

    def reads_need(self, need: str) -> bool:
        """Whether it may read every fact that the need's rule counts, held or not.

        Judged by the rule, never by the facts that hold for one person: wording that changed with a fact this reader
        may not see would give that fact away.
        """
        return self.reads_need_in(need, self.themes)

    def reads_need_in(self, need: str, themes: frozenset[str]) -> bool:
        """Whether every fact that the need's rule counts is of some themes."""
        counted = self._themes_of_rules.get(need)
        return counted is not None and counted <= themes

    @property
    def reads_every_need(self) -> bool:
        """Whether it may read every fact of every rule: only then may one need be told from another."""
        return all(self.reads_need(need) for need in self._rules)

    def tells(self, need: str) -> bool:
        """Whether a row may say that this need was found: where the whole rule may be read, or no rule found it."""
        return need not in self._rules or self.reads_need(need)

    def leads(self, agency: str) -> bool:
        """Whether what this agency leads is the reader's own; of the group's list everything is."""
        return self.recipient in (agency, "group")

    def may_name(self, agency: str, interventions: Interventions) -> bool:
        """Whether it may be told that an agency is involved: only if it may read every need that agency leads.

        The rules are public: who hears that adult social care comes hears that somebody there may be a carer.
        """
        if self.reads_every_need:
            return True
        led = [need for need, then in interventions.needs.items() if then.lead == agency]
        return agency == self.recipient or (bool(led) and all(self.reads_need(need) for need in led))

    def visit(self, interventions: Interventions, settings: OutreachSettings, *, urgent: bool = False) -> Visit:
        """What stands on every row for the needs that it leads and may not read, or for the urgent ones among them.

        Of these needs one may not be told from another, nor from a visit without a need: which of them it is, and
        whether it is one, would tell what may not be read.
        """
        unread = {
            need: str(then.urgency)
            for need, then in interventions.needs.items()
            if self.leads(then.lead) and not self.tells(need) and (then.urgency == "urgent") == urgent
        }
        words = [NEED_WORDS.get(need, ANY_NEED) for need in unread] or ([ANY_NEED] if urgent else [])
        if not words:
            return Visit((WELLBEING,), settings.high_risk_action, interventions.say, "routine")
        return Visit(
            needs=tuple(dict.fromkeys(one.functional for one in words)),
            step=". ".join(dict.fromkeys(one.step for one in words)),
            say=_one_of(words).say,
            urgency="urgent" if urgent else min(unread.values(), key=lambda name: URGENCY[name]),
        )

    def need_words(self, need: str) -> str:
        """Name a need: plainly to who may read its whole rule, else in words that tell no fact."""
        words = NEED_WORDS.get(need, ANY_NEED)
        return words.name if self.reads_need(need) else words.functional

    def say(self, need: str, interventions: Interventions) -> str:
        """What a visitor says at the door about a need; who may not read its whole rule, in words that tell no fact."""
        then = interventions.needs.get(need)
        return then.say if then is not None and self.reads_need(need) else NEED_WORDS.get(need, ANY_NEED).say

    def facts_of(self, need: str, criterion: str) -> list[str]:
        """Pick the sentences of a criterion that it may read.

        A sentence passes when it is one of the rule's own and its facts' themes may be read; what is not recognised
        is not shown. So what is shown depends on the need and on permitted facts alone.
        """
        told = criterion.split("; ")
        return [sentence for sentence in told if self._reads(need, sentence)]

    def themes_of(self, need: str, sentence: str) -> frozenset[str]:
        """The themes of the need's facts that say this sentence; none where it is not one of the rule's own."""
        rule = self._rules.get(need)
        facts: Iterable[Fact] = () if rule is None else rule.facts()
        return frozenset().union(*(fact.themes() for fact in facts if _says(fact, sentence)))

    def _reads(self, need: str, sentence: str) -> bool:
        themes = self.themes_of(need, sentence)
        return bool(themes) and themes <= self.themes


def _one_of(words: Iterable[NeedWords]) -> NeedWords:
    """The one that all of them say; else words for any need."""
    said = list(words)
    return said[0] if len({one.say for one in said}) == 1 else ANY_NEED


def _says(fact: Fact, sentence: str) -> bool:
    pattern = re.escape(fact.words).replace(r"\{\}", r"[A-Za-z0-9]+")
    return re.fullmatch(pattern, sentence) is not None


def reader_of(recipient: Recipient, *, ledger: Ledger, thresholds: Thresholds) -> Reader:
    """Look a recipient up in the ledger.

    Raises `NotPermittedError` where the ledger has no view for it.

    >>> from ageingwell.config.score import RecipientView
    >>> ledger = Ledger(permitted=(), views={"fire": RecipientView(themes=("fire",), shows_risk=True)})
    >>> fire = reader_of("fire", ledger=ledger, thresholds=Thresholds())
    >>> fire.reads_risk, fire.need_words("no_working_alarm"), fire.need_words("cold_home")
    (False, 'No working smoke alarm', 'May need a warmer home')
    """
    view = ledger.views.get(recipient)
    if view is None:
        raise NotPermittedError(
            f"the permission ledger has no view for `{recipient}`",
            f"have the information-governance lead write [views.{recipient}] in permissions.toml",
        )
    return Reader(recipient, frozenset(view.themes), view.shows_risk, thresholds)
