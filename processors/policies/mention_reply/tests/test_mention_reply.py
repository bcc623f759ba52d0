"""Mention reply: a person answers what people say about us in public."""

from __future__ import annotations

from streams.events import Channel, ConsentStatus, Sentiment
from tests.journey.care import answer, done, everything, posts
from tests.journey.given import at, consent, given, profile

CARE = everything()


def test_praise_gets_a_personal_thank_you() -> None:
    """Praise gives the team a task to say thank you within a day."""
    ana = given(profile(), playbook=CARE)
    ana.when(posts(Sentiment.POSITIVE)).then("task thank_you for social-care by 10 Feb 12:00")
    (task,) = ana.requests
    assert task.variables["link"] == "https://forum.example/m1"
    assert task.why == "Whoever speaks about us in public deserves an answer from a person."
    ana.when_time_passes_to(at("12:00", day=8)).then_nothing()


def test_a_complaint_gets_a_rescue_with_an_owner_and_a_deadline() -> None:
    """The team has two hours for a complaint, and half an hour if the post has a thousand readers."""
    given(profile(), playbook=CARE).when(posts(Sentiment.NEGATIVE, reach=999)).then(
        "task rescue for social-care by 09 Feb 14:00"
    )
    given(profile(), playbook=CARE).when(posts(Sentiment.NEGATIVE, reach=1000)).then(
        "task rescue for social-care by 09 Feb 12:30"
    )


def test_a_rescue_that_is_not_done_is_escalated() -> None:
    """A rescue that is not done by its deadline is escalated once."""
    ana = given(profile(), posts(Sentiment.NEGATIVE), playbook=CARE)
    ana.when_time_passes_to(at("13:59")).then_nothing()
    ana.when_time_passes_to(at("14:00")).then("escalate escalation for care-leads by 09 Feb 15:00")
    ana.when_time_passes_to(at("12:00", day=20)).then_nothing()


def test_a_post_found_late_is_rescued_first_and_escalated_later() -> None:
    """The two hours begin when the task is opened, even if the post is older."""
    ana = given(profile(), playbook=CARE)
    ana.when(posts(Sentiment.NEGATIVE), now=at("18:00")).then("task rescue for social-care by 09 Feb 20:00")
    ana.when_time_passes_to(at("19:59")).then_nothing()
    ana.when_time_passes_to(at("20:00")).then("escalate escalation for care-leads by 09 Feb 21:00")


def test_a_rescue_that_is_done_is_not_escalated() -> None:
    """A rescue that is done in time is not escalated."""
    ana = given(profile(), posts(Sentiment.NEGATIVE), playbook=CARE)
    ana.when(done(at("13:00"), "mention_reply", "mention/m1", "rescue")).then_nothing()
    assert ana.known.mentions[0].answered_at == at("13:00")
    ana.when_time_passes_to(at("12:00", day=1)).then_nothing()


def test_a_reply_where_it_was_posted_ends_the_rescue() -> None:
    """A reply on the platform ends the rescue, even if nobody completed the task."""
    ana = given(profile(), posts(Sentiment.NEGATIVE), playbook=CARE)
    ana.when(answer(at("13:00"), "m1", channel=Channel.SOCIAL)).then("take back rescue: answered")
    ana.when_time_passes_to(at("12:00", day=1)).then_nothing()


def test_a_reply_to_a_post_is_no_contact_of_its_own() -> None:
    """A reply to a post opens no contact, and counts even if it arrives before the post."""
    ana = given(profile(), posts(Sentiment.NEGATIVE), answer(at("13:00"), "m1", channel=Channel.SOCIAL), playbook=CARE)
    assert ana.known.contacts == ()
    early = given(profile(), answer(at("13:00"), "m1", channel=Channel.SOCIAL), playbook=CARE)
    early.when(posts(Sentiment.NEGATIVE), now=at("13:01")).then_nothing()
    assert early.known.mentions[0].answered_at == at("13:00")


def test_what_is_neither_praise_nor_complaint_is_left_alone() -> None:
    """A neutral post gets no task, and the reason is recorded once."""
    ana = given(profile(), playbook=CARE)
    ana.when(posts(Sentiment.NEUTRAL)).then("suppress thank_you: nothing_to_answer")
    ana.when(posts(Sentiment.NEUTRAL, at("12:05"))).then_nothing()


def test_a_post_that_turns_out_to_be_a_complaint_gets_its_rescue() -> None:
    """A post whose sentiment becomes known later as negative gets its rescue then."""
    ana = given(profile(), posts(Sentiment.UNKNOWN), playbook=CARE)
    ana.when(posts(Sentiment.NEGATIVE, at("12:10"))).then("task rescue for social-care by 09 Feb 14:00")


def test_an_old_post_is_not_answered_any_more() -> None:
    """A post that is heard of days later is not answered, and the record says that it came too late."""
    ana = given(profile(), playbook=CARE)
    ana.when(posts(Sentiment.NEGATIVE), now=at("12:00", day=9)).then("suppress rescue: no_longer_useful")


def test_whoever_wants_nothing_from_us_is_not_approached() -> None:
    """A customer who opted out gets no public thank-you either."""
    ana = given(profile(), consent(ConsentStatus.DENIED), playbook=CARE)
    ana.when(posts(Sentiment.POSITIVE)).then("suppress thank_you: no_consent")


def test_a_task_is_called_off_when_the_customer_opts_out() -> None:
    """An open task is retracted when the customer opts out."""
    ana = given(profile(), posts(Sentiment.POSITIVE), playbook=CARE)
    ana.when(consent(ConsentStatus.REVOKED, at("12:30"))).then("take back thank_you: consent_withdrawn")
