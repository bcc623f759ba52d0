"""The texts of the made-up customers and agents. ``{city}`` is the flight's destination, ``{flight}`` its number."""

from __future__ import annotations

from decimal import Decimal

from streams.events import FeedbackKind, NoteKind, Sentiment

GOODS = (
    *("hiking boots", "a rain jacket", "a travel pillow", "noise-cancelling headphones", "a carry-on case"),
    *("a wool scarf", "a camera strap", "running shoes", "a thermos flask", "a children's backpack", "a phone charger"),
    *("snow boots, size 8", "a reading lamp", "a down blanket", "a pair of binoculars", "a leather wallet"),
)
SELLERS = (("Alpine Outfitters", "alpine-outfitters.example"), ("Harbor & Pine", "harbor-and-pine.example"))
CARRIERS = ("Northline Parcel", "Swift Courier", "City Post")

ASKED_CALM = (
    "Wants to choose a seat next to the family on {flight}.",
    "Asks how much luggage is included to {city}.",
    "Asks for a vegetarian meal on {flight}.",
    "Needs a receipt for the booking to {city}.",
    "Wants to add a frequent flyer number.",
    "Asks which terminal {flight} leaves from.",
)
ASKED_LATE = (
    "Asks when {flight} will really leave.",
    "Will miss a connection in {city}; asks for another one.",
    "Waits at the gate with two small children, asks for a meal voucher.",
    "Asks whether to stay at the airport or go home.",
    "Needs to tell a host in {city} the new time of arrival.",
)
ASKED_CANCELLED = (
    "Flight to {city} was cancelled; wants to travel tomorrow.",
    "Asks for a refund for {flight}.",
    "Stranded overnight and looks for a hotel near the airport.",
    "Has to be in {city} for a wedding, asks for any other way.",
    "Asks where the checked bag is now that {flight} is cancelled.",
    "Travels with an elderly parent, needs help with rebooking.",
)
ASKED_SHOP = (
    "Where is my parcel?",
    "Wants to change the delivery address.",
    "Asks whether a gift can be wrapped.",
    "Would like to exchange for another size.",
    "Asks about the guarantee.",
    "Wants to know the opening hours over the weekend.",
)
ASKED_AGAIN = (
    "Asked before; it is not settled yet, and asks again.",
    "Was promised a call back that has not come yet.",
    "What was suggested last time did not work out.",
    "Has not heard from us since the last message.",
    "Tries another way, hoping for a person.",
)
ANSWERED = (
    "Explained what is known and what happens next.",
    "Rebooked, and sent the confirmation.",
    "Found a seat on the next flight out.",
    "Opened a request and gave its number.",
    "Answered, and asked whether anything else is needed.",
    "Apologised, and promised to call back within the hour.",
)
AUTOMATED = ("Thank you, we have your message.", "A person will be with you as soon as possible.")

ANSWERED_IN_PUBLIC: dict[Sentiment, tuple[str, ...]] = {
    Sentiment.NEGATIVE: (
        "Said sorry without excuses, told what is known, and offered to take it from here by phone.",
        "Rebooked on the spot and sent the new seats in a direct message.",
        "Asked how they are, and found a hotel room for the night.",
        "Took it to the gate in person and wrote back what happens next.",
    ),
    Sentiment.NEUTRAL: (
        "Wished a warm coffee and a good trip.",
        "Told the latest time, and that we keep an eye on it.",
    ),
    Sentiment.POSITIVE: (
        "Thanked them by name, and passed it on to the crew.",
        "Thanked them, and told who had the idea with the hot chocolate.",
        "Wrote how glad everyone here was to read it.",
    ),
}

GESTURES_STORM = (  # code, title, cost in USD, how often
    ("coffee-voucher", "a coffee and a pastry", Decimal("6.00"), 42),
    ("miles-1000", "1,000 miles", Decimal("10.00"), 26),
    ("lounge-pass", "a seat in the lounge until it goes on", Decimal("25.00"), 14),
    ("seat-upgrade", "a seat with more room", Decimal("39.00"), 12),
    ("taxi-home", "a taxi home for the family", Decimal("58.00"), 4),
)
GESTURES_CALM = (
    ("coffee-voucher", "a coffee and a pastry", Decimal("6.00"), 50),
    ("handwritten-card", "a card, written by hand", Decimal("2.50"), 30),
    ("miles-500", "500 miles", Decimal("5.00"), 20),
)

MENTIONS: dict[Sentiment, tuple[str, ...]] = {
    Sentiment.NEGATIVE: (
        "Three hours at the gate for {city} and nobody tells us anything.",
        "{flight} cancelled. On hold for 50 minutes so far.",
        "So the flight to {city} is off. I found out from the board, not from my airline.",
        "Another new departure time for {flight}. The fourth one today.",
        "Sleeping on the airport floor tonight. Thanks, snow. Thanks, airline.",
    ),
    Sentiment.NEUTRAL: (
        "Snow everywhere. Let's see if {flight} goes.",
        "At the airport, on my way to {city}.",
        "Anyone else waiting for {city} tonight?",
        "{flight} has a new time. Coffee number three.",
    ),
    Sentiment.POSITIVE: (
        "Got out to {city} before the storm. Well done, everyone on {flight}.",
        "The agent at the gate for {city} is handing out hot chocolate. You are a star.",
        "Smooth trip to {city}, lovely crew.",
        "Rebooked in two minutes by a very kind person on the phone. Impressed.",
    ),
}

WORDS: dict[FeedbackKind, tuple[str, ...]] = {
    FeedbackKind.COMPLAINT: (
        "I was told four different times and none was right.",
        "I waited an hour on the phone to hear what the website already said.",
        "Nobody could tell me where my bag was.",
        "We understand the snow. We do not understand the silence.",
    ),
    FeedbackKind.PRAISE: (
        "The young man at the counter stayed an hour after his shift to find us a hotel.",
        "Everyone was kind, and we left on time.",
        "Your colleague called me back as promised. That made my day.",
    ),
    FeedbackKind.STORY: (
        "We were going to {city} for my grandmother's ninetieth. A lady at the desk got us there, and I still tell it.",
        "My son's first flight. The crew let him look at the cockpit while we waited for the plough.",
        "Snowed in at the gate, we sang with strangers until the crew came with blankets. I would not have missed it.",
    ),
}
TONES = {
    FeedbackKind.COMPLAINT: Sentiment.NEGATIVE,
    FeedbackKind.PRAISE: Sentiment.POSITIVE,
    FeedbackKind.STORY: Sentiment.POSITIVE,
}
SAD_STORIES = (
    "I missed my own exhibition in {city}. Nobody's fault, but a word would have helped.",
    "My daughter's choir sang in {city} without her. We learned from the board that the flight was off.",
    "A night on a bench with my mother, who is eighty-one. I do not blame the snow, but nobody came by.",
    "Four people at four desks, and none of them looked up. I got to {city} in the end, alone with it.",
)

NOTES: dict[NoteKind, tuple[str, ...]] = {
    NoteKind.NOTE: (
        "Travels with a baby; would like a seat near the front.",
        "Very patient on the phone. Deserves a thank-you.",
        "Prefers e-mail to calls.",
        "Has to be in {city} by Sunday.",
    ),
    NoteKind.GAP: (
        "I could not see the hotel vouchers that were still left.",
        "The gate knew of the cancellation twenty minutes before we did.",
        "No way to rebook two people on different bookings together.",
    ),
    NoteKind.IDEA: (
        "Let us offer a later flight before people ask.",
        "A short message with the next known time would save half of these calls.",
        "Free wifi while they wait costs us little.",
    ),
}
