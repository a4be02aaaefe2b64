"""What the bot says. It answers questions about parcels, in English and German.

Recipes for more are in docs/conversation.md.
"""

import re

from bot import dialogue
from bot.conversation.news import MOVED, Moved
from bot.conversation.parcels import HOUR, Parcel, ParcelsUnavailable, Step, World
from bot.dialogue import Bot, Record
from bot.dialogue.handover import handed_over
from bot.dialogue.lex import understand
from bot.dialogue.middleware import guess_language, rate_limit
from bot.messenger.events import Audio, Comment, Event, Heart, Image, Notice, OptedIn, Sticker, TextMessage, Video
from bot.messenger.messages import (
    NOTIFICATION_COUNTRIES,
    AskToNotify,
    Card,
    Carousel,
    Content,
    Message,
    QuickReply,
    Text,
)
from bot.messenger.news import News, Utility


class Customer(Record):
    """What the bot remembers about a customer.

    Attributes:
        parcel: the number they last asked about.
        watched: the number of the parcel whose changes they want to hear about.
        asked: the number of the parcel for which they were last asked to opt in: Facebook allows it once a week.
        token: allows the bot to tell them outside the messaging window.
        ahead: by how many seconds a demonstration moved the parcels of this customer on.
    """

    parcel: str = ""
    watched: str = ""
    asked: str = ""
    token: str = ""
    ahead: float = 0.0


class Found(Record):
    """What the pattern of a parcel's number finds."""

    number: str


# Handlers take a turn and return a reply, or only its words.
Turn = dialogue.Turn[Customer, World, Event]
Reply = dialogue.Reply[Customer]

# What the sandbox's page offers to show: a title, and the topic of the notice that does it.
DEMONSTRATIONS = {"Move the parcel on": "demonstration"}
LONGEST_STEP_HOURS = 6 * 24

bot: Bot[Customer, World] = Bot(Customer, languages=("en", "de"), back=("bot", "back", "zurück"))


def too_much(turn: Turn) -> str:
    """Ask the customer to slow down."""
    return turn.words(
        en="That is a lot at once. Please wait a minute, then I am here for you again.",
        de="Das ist viel auf einmal. Bitte warten Sie eine Minute, dann bin ich wieder für Sie da.",
    )


bot.middleware(
    guess_language(
        en="i is are the my where parcel package please hello hi thanks and not what can you",
        de="ich ist sind das mein wo paket sendung bitte hallo guten danke und nicht was kann du sie",
    )
)
bot.middleware(rate_limit(60, 60.0, too_much))


# Always, whatever is going on


@bot.always(en=("stop", "unsubscribe"), de=("stopp", "abbestellen"))
def stop(turn: Turn) -> Reply:
    """Send nothing any more unless the customer writes."""
    said = turn.words(
        en="All right: I will only write to you when you write to me.",
        de="In Ordnung: Ich schreibe Ihnen nicht mehr von mir aus. Wenn Sie mir schreiben, antworte ich.",
    )
    return Reply(said, state=turn.state.replace(watched="", token=""))


@bot.always(en=("delete my data", "forget me"), de=("lösche meine daten", "meine daten löschen", "vergiss mich"))
def forget(turn: Turn) -> Reply:
    """Delete everything that is known about the customer."""
    said = turn.words(
        en="I have deleted everything I knew about you. If you write to me again, we start from the beginning.",
        de="Ich habe alles gelöscht, was ich über Sie wusste. Wenn Sie mir wieder schreiben, fangen wir neu an.",
    )
    return Reply(said, forget=True)


@bot.always(en=("human", "agent", "talk to a human"), de=("mensch", "mitarbeiter", "mit mensch sprechen"))
@bot.postback("HUMAN")
@bot.quick_reply("HUMAN")
def human(turn: Turn) -> Reply:
    """Hand the conversation over to a human."""
    said = turn.words(
        en="A human will answer you here as soon as possible. I will be quiet until then. Write “bot” to call me back.",
        de="Ein Mensch antwortet Ihnen hier so bald wie möglich. Ich bin solange still. Schreiben Sie „Bot“, um mich "
        "zurückzuholen.",
    )
    return handed_over(
        turn, said, turn.words(en="They ask for a human.", de="Sie möchten mit einem Menschen sprechen.")
    )


@bot.text("bot", en="back", de="zurück")
@bot.postback("BOT")
@bot.quick_reply("BOT")
def back(turn: Turn) -> Text:
    """Come back after a human."""
    return _offer(turn, turn.words(en="I am back. What can I do?", de="Da bin ich wieder. Was kann ich tun?"))


# What it can do


@bot.postback("START")
@bot.text("hi", en=("hello", "good morning", "start"), de=("hallo", "guten tag", "moin"))
def greet(turn: Turn) -> Text:
    """Say hello."""
    said = turn.words(
        en="Hello! I can tell you where your parcel is. Send me its 8-digit number.",
        de="Hallo! Ich sage Ihnen, wo Ihr Paket ist. Schicken Sie mir seine Nummer mit 8 Ziffern.",
    )
    return _offer(turn, said)


@bot.text("?", en=("help", "what can you do"), de=("hilfe", "was kannst du", "was können sie"))
@bot.postback("HELP")
@bot.quick_reply("HELP")
def help_(turn: Turn) -> Text:
    """Say what the bot can do."""
    said = turn.words(
        en="Send me the 8-digit number of a parcel and I will tell you where it is. “Status” looks up the last one "
        "again. I can also tell you when something changes. “Human” calls a human, “stop” ends my messages, and "
        "“delete my data” makes me forget you.",
        de="Schicken Sie mir eine Paketnummer mit 8 Ziffern, und ich sage Ihnen, wo das Paket ist; „Status“ zeigt das "
        "letzte noch einmal. Ich melde mich auch, wenn sich etwas ändert. „Mensch“ holt einen Menschen, „Stopp“ "
        "beendet meine Nachrichten, und mit „Lösche meine Daten“ vergesse ich Sie.",
    )
    return _offer(turn, said)


@bot.text(en=("english", "in english"), de=("deutsch", "auf deutsch"))
def speak(turn: Turn) -> Text:
    """Change the language. The phrase of one language has already set it."""
    return _offer(turn, turn.words(en="Let us speak English.", de="Sprechen wir Deutsch."))


@bot.text("status", en=("where is my parcel", "track"), de=("wo ist mein paket", "sendung verfolgen"))
@bot.postback("STATUS")
@bot.quick_reply("STATUS")
def status(turn: Turn) -> Reply:
    """Say where the last parcel is, or ask for a number."""
    if turn.state.parcel:
        return _track(turn, turn.state.parcel)
    said = turn.words(
        en="Which parcel? Please send me its 8-digit number.",
        de="Welches Paket? Schicken Sie mir bitte seine Nummer mit 8 Ziffern.",
    )
    return Reply(said)


NUMBER = r"(?<![0-9])(?P<number>[0-9]{4}[ -]?[0-9]{4})(?![0-9])"


@bot.pattern(NUMBER, Found)
def number(turn: Turn, found: Found) -> Reply:
    """Say where the parcel with this number is."""
    return _track(turn, found.number.replace(" ", "").replace("-", ""))


@bot.referral("TRACK")
@bot.postback("TRACK")
def link(turn: Turn) -> Reply:
    """Take a link such as `m.me/PAGE?ref=TRACK:12345678`, or a button with this payload."""
    return _track(turn, turn.argument) if _is_number(turn.argument) else Reply(greet(turn))


# News of changes


@bot.quick_reply("WATCH")
def watch(turn: Turn) -> Reply:
    """Promise to report changes, and ask for an opt-in to report them outside the messaging window."""
    if not _is_number(turn.argument):
        return status(turn)
    said = turn.words(
        en=f"I will tell you when parcel {turn.argument} moves on within a day.",
        de=f"Ich melde mich, wenn Paket {turn.argument} innerhalb eines Tages weiterkommt.",
    )
    state = turn.state.replace(watched=turn.argument)
    exists = turn.event.platform != "instagram" and turn.world.country in NOTIFICATION_COUNTRIES
    if not exists or turn.state.token or turn.state.asked == turn.argument:
        return Reply(said, state=state)
    later = turn.words(en="May I also do that later?", de="Darf ich das auch später noch?")
    title = turn.words(en=f"News of parcel {turn.argument}", de=f"Neues von Paket {turn.argument}")
    return Reply(
        (f"{said} {later}", AskToNotify(title, f"WATCH:{turn.argument}")), state=state.replace(asked=turn.argument)
    )


@bot.opt_in("WATCH")
def allow(turn: dialogue.Turn[Customer, World, OptedIn]) -> Reply:
    """Keep the opt-in. Whoever stops it wants no more news of the parcel, in whatever way."""
    if turn.event.stops:
        return Reply(state=turn.state.replace(watched="", token=""))
    return Reply(state=turn.state.replace(watched=turn.argument, token=turn.event.token))


@bot.notice("parcel")
def changed(turn: dialogue.Turn[Customer, World, Notice]) -> Reply:
    """Report a change to a customer who asked for it."""
    parcel = _find(turn, turn.state.watched) if turn.state.watched else None
    if parcel is None or turn.event.get("number") != parcel.number:
        return Reply()
    return _report(turn, parcel)


@bot.notice("demonstration")
def move(turn: dialogue.Turn[Customer, World, Notice]) -> Reply:
    """Move the customer's parcel on to its next step, as a demonstration. Whoever asked for news gets it."""
    number = turn.state.watched or turn.state.parcel
    before = _find(turn, number) if number else None
    if before is None:
        return Reply()
    for hours in range(1, LONGEST_STEP_HOURS):
        later = turn.replace(state=turn.state.replace(ahead=turn.state.ahead + hours * HOUR))
        after = _find(later, number)
        if after is not None and after.step != before.step:
            return _report(later, after) if turn.state.watched else Reply(state=later.state)
    return Reply()


def _report(turn: dialogue.Turn[Customer, World, Notice], parcel: Parcel) -> Reply:
    """Report it in whatever way reaches the customer; after the delivery there is nothing more to report."""
    utility = Utility(MOVED, turn.language, Moved(parcel.number, _steps(turn)[parcel.step]))
    news = News(_overview(turn, parcel), utility, turn.state.token)
    delivered = parcel.step == Step.DELIVERED
    return Reply(news, state=turn.state.replace(watched="", token="") if delivered else turn.state)


# Everything else


@bot.comment()
def commented(turn: dialogue.Turn[Customer, World, Comment]) -> Content | None:
    """Answer a comment with a parcel's number, so that only its author reads where the parcel is."""
    found = re.search(NUMBER, turn.event.text)
    parcel = turn.world.parcels.find(re.sub("[ -]", "", found["number"]), turn.now) if found else None
    return _overview(turn, parcel) if parcel else None


@bot.attachment(Sticker, Heart)
def sticker(_: Turn) -> str:
    """Answer a thumb with a thumb."""
    return "👍"


@bot.attachment(Image, Video)
def image(turn: Turn) -> Reply:
    """Understand the words beside an image, or else say that the bot cannot see images."""
    if understood := _words(turn):
        return Reply(understood)
    said = turn.words(
        en="I cannot look at pictures. Please type the 8-digit number from the label.",
        de="Bilder kann ich nicht ansehen. Bitte tippen Sie die Nummer mit 8 Ziffern ab, die auf dem Aufkleber steht.",
    )
    return Reply(_offer(turn, said))


@bot.attachment(Audio)
def voice(turn: Turn) -> Reply:
    """Understand the words beside a voice message, or else say that the bot cannot listen."""
    if understood := _words(turn):
        return Reply(understood)
    said = turn.words(
        en="I cannot listen to voice messages. Please type what you would like to know.",
        de="Sprachnachrichten kann ich nicht anhören. Bitte tippen Sie, was Sie wissen möchten.",
    )
    return Reply(_offer(turn, said))


@bot.reaction("love", "❤", "👍")
def liked(turn: Turn) -> str:
    """Be glad."""
    return turn.words(en="Glad to help!", de="Gern geschehen!")


@bot.text(en=("thanks", "thank you"), de=("danke", "vielen dank"))
def thanked(turn: Turn) -> str:
    """Be glad."""
    return liked(turn)


@bot.postback("LEX")
@bot.quick_reply("LEX")
def chosen(turn: Turn) -> Reply:
    """Tell Lex which of its choices the customer took."""
    said = _by_lex(turn, turn.argument)
    return Reply(said) if said else explain(turn)


@bot.fallback
def explain(turn: Turn) -> Reply:
    """Ask Lex, if the bot has it. Otherwise say that the bot did not understand, and what it would understand."""
    if understood := _words(turn):
        return Reply(understood)
    said = turn.words(
        en="I did not understand that. I am a bot and only know about parcels. Send me the 8-digit number of a parcel, "
        "or write “status”.",
        de="Das habe ich nicht verstanden: Ich bin ein Bot und kenne mich nur mit Paketen aus. Schicken Sie mir eine "
        "Paketnummer mit 8 Ziffern, oder schreiben Sie „Status“.",
    )
    return Reply(_offer(turn, said))


@bot.error
def sorry(turn: Turn, error: Exception) -> Text:
    """Say that something went wrong. The log has the details.

    A customer who asked nothing gets no apology: news, and the one private reply to a comment, are tried again.
    """
    if isinstance(turn.event, (Notice, Comment)):
        raise error
    if isinstance(error, ParcelsUnavailable):
        said = turn.words(
            en="I cannot look up parcels at the moment. Please try again in a few minutes.",
            de="Ich kann gerade keine Pakete nachsehen. Bitte versuchen Sie es in ein paar Minuten noch einmal.",
        )
    else:
        said = turn.words(
            en="Something went wrong on my side. Please try again, or write “human”.",
            de="Bei mir ist etwas schiefgegangen. Bitte versuchen Sie es noch einmal, oder schreiben Sie „Mensch“.",
        )
    return _offer(turn, said)


# What several handlers say


def _offer(turn: Turn, said: str) -> Text:
    """The text, with the choices that a customer may want next."""
    replies = (
        QuickReply(turn.words(en="Status", de="Status"), "STATUS"),
        QuickReply(turn.words(en="Help", de="Hilfe"), "HELP"),
        QuickReply(turn.words(en="Talk to a human", de="Mit Mensch sprechen"), "HUMAN"),
    )
    return Text(said, quick_replies=replies)


def _words(turn: Turn) -> tuple[Message, ...] | None:
    """What Lex makes of words that no rule takes."""
    return _by_lex(turn, turn.event.text) if isinstance(turn.event, TextMessage) else None


def _by_lex(turn: Turn, text: str) -> tuple[Message, ...] | None:
    return understand(turn, text, yes=turn.words(en="Yes", de="Ja"), no=turn.words(en="No", de="Nein"))


def _is_number(text: str) -> bool:
    return re.fullmatch("[0-9]{8}", text) is not None


def _find(turn: dialogue.Turn[Customer, World, Event], number: str) -> Parcel | None:
    return turn.world.parcels.find(number, turn.now + turn.state.ahead)


def _track(turn: Turn, number: str) -> Reply:
    parcel = _find(turn, number)
    if parcel is None:
        said = turn.words(
            en=f"I do not know a parcel {number}. Please check the number.",
            de=f"Ein Paket {number} kenne ich nicht. Bitte prüfen Sie die Nummer.",
        )
        return Reply(_offer(turn, said))
    return Reply(_overview(turn, parcel), state=turn.state.replace(parcel=number))


def _steps(turn: dialogue.Turn[Customer, World, Event]) -> dict[Step, str]:
    return {
        Step.ANNOUNCED: turn.words(en="announced", de="angekündigt"),
        Step.IN_TRANSIT: turn.words(en="in transit", de="unterwegs"),
        Step.OUT_FOR_DELIVERY: turn.words(en="out for delivery", de="in Zustellung"),
        Step.DELIVERED: turn.words(en="delivered", de="zugestellt"),
    }


def _overview(turn: Turn, parcel: Parcel) -> Content:
    """The four steps: a card each if there are images, otherwise a line each."""
    steps = _steps(turn)
    replies = [QuickReply(turn.words(en="Look again", de="Noch einmal"), "STATUS")]
    if parcel.step != Step.DELIVERED:
        title = turn.words(en="Notify me", de="Bei Änderung melden")
        replies.append(QuickReply(title, f"WATCH:{parcel.number}"))
    marks = {step: "✅" if step < parcel.step else "📍" if step == parcel.step else "⬜" for step in steps}
    name = turn.words(en=f"Parcel {parcel.number}", de=f"Paket {parcel.number}")
    headline = f"{name}: {steps[parcel.step]}"
    if turn.world.assets_url:
        cards = (
            Card(f"{marks[step]} {said}", headline, image=f"{turn.world.assets_url}/step-{step + 1}.png")
            for step, said in steps.items()
        )
        return Carousel(tuple(cards), quick_replies=tuple(replies))
    lines = (f"{marks[step]} {said}" for step, said in steps.items())
    return Text("\n".join((headline, *lines)), quick_replies=tuple(replies))
