"""What the bot says: the one file that a bot author edits.

It answers questions about parcels, in English and German. Recipes for more are in docs/conversation.md.
"""

from bot.conversation.parcels import Parcel, ParcelsUnavailable, Step
from bot.dialogue.lex import understand
from bot.dialogue.middleware import guess_language, handed_over, human_handover, rate_limit
from bot.dialogue.rules import Bot, Reply, Said, Turn
from bot.messenger.events import Audio, Event, Image, Notice, OptedIn, Sticker, TextMessage, Video
from bot.messenger.messages import AskToNotify, Card, Carousel, Content, Message, Notification, QuickReply, Text, Update
from bot.messenger.profile import IceBreaker, MenuItem, Profile
from bot.messenger.record import Record


class Customer(Record):
    """What the bot remembers of a person.

    Attributes:
        parcel: the number last asked about.
        watched: the number of whose changes they want to hear.
        token: with which they may be told so outside the messaging window.
    """

    parcel: str = ""
    watched: str = ""
    token: str = ""


class Found(Record):
    """What the pattern of a parcel's number finds."""

    number: str


Asked = Turn[Customer, Event]
Answered = Said[Customer]

bot = Bot(Customer, languages=("en", "de"))

PROFILE = Profile(
    get_started="START",
    greeting={
        "default": "Where is your parcel, {{user_first_name}}? I am a bot and look it up for you.",
        "de_DE": "Wo ist Ihr Paket, {{user_first_name}}? Ich bin ein Bot und sehe für Sie nach.",
    },
    menu={
        "default": (MenuItem("Where is my parcel?", "STATUS"), MenuItem("Help", "HELP"), MenuItem("A human", "HUMAN")),
        "de_DE": (MenuItem("Wo ist mein Paket?", "STATUS"), MenuItem("Hilfe", "HELP"), MenuItem("Ein Mensch", "HUMAN")),
    },
    ice_breakers={
        "default": (IceBreaker("Where is my parcel?", "STATUS"), IceBreaker("What can you do?", "HELP")),
        "de_DE": (IceBreaker("Wo ist mein Paket?", "STATUS"), IceBreaker("Was können Sie?", "HELP")),
    },
)


def too_much(turn: Asked) -> str:
    """Say that it is too fast."""
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
bot.middleware(human_handover("bot", "back", "zurück"))
bot.middleware(rate_limit(60, 60.0, too_much))


# Always, whatever is going on


@bot.always(en=("stop", "unsubscribe"), de=("stopp", "abbestellen"))
def stop(turn: Asked) -> Answered:
    """Write no more unless written to."""
    said = turn.words(
        en="All right: I will not write to you by myself any more. If you write to me, I answer.",
        de="In Ordnung: Ich schreibe Ihnen nicht mehr von mir aus. Wenn Sie mir schreiben, antworte ich.",
    )
    return Reply(said, state=turn.state.replace(watched="", token=""))


@bot.always(en=("delete my data", "forget me"), de=("lösche meine daten", "meine daten löschen", "vergiss mich"))
def forget(turn: Asked) -> Answered:
    """Remove all that is known of the person."""
    said = turn.words(
        en="I have deleted everything I knew about you. If you write to me again, we start anew.",
        de="Ich habe alles gelöscht, was ich über Sie wusste. Wenn Sie mir wieder schreiben, fangen wir neu an.",
    )
    return Reply(said, forget=True)


@bot.always(en=("human", "agent", "talk to a human"), de=("mensch", "mitarbeiter", "mit mensch sprechen"))
@bot.postback("HUMAN")
@bot.quick_reply("HUMAN")
def human(turn: Asked) -> Answered:
    """Give the conversation to a human."""
    said = turn.words(
        en="A human will answer you here as soon as possible. I keep quiet until then. Write “bot” to have me back.",
        de="Ein Mensch antwortet Ihnen hier so bald wie möglich. Ich bin solange still. Schreiben Sie „Bot“, um mich "
        "zurückzuholen.",
    )
    return handed_over(turn, said)


@bot.text("bot", en="back", de="zurück")
@bot.postback("BOT")
@bot.quick_reply("BOT")
def back(turn: Asked) -> Answered:
    """Be there again after a human."""
    return _offer(turn, turn.words(en="I am back. What can I do?", de="Da bin ich wieder. Was kann ich tun?"))


# What it can do


@bot.postback("START")
@bot.text("hi", en=("hello", "good morning", "start"), de=("hallo", "guten tag", "moin"))
def greet(turn: Asked) -> Answered:
    """Say who speaks, and that it is a bot."""
    said = turn.words(
        en="Hello! I am a bot and tell you where your parcel is. Send me its number of 8 digits.",
        de="Hallo! Ich bin ein Bot und sage Ihnen, wo Ihr Paket ist. Schicken Sie mir seine Nummer mit 8 Ziffern.",
    )
    return _offer(turn, said)


@bot.text("?", en=("help", "what can you do"), de=("hilfe", "was kannst du", "was können sie"))
@bot.postback("HELP")
@bot.quick_reply("HELP")
def help_(turn: Asked) -> Answered:
    """Say what it can do."""
    said = turn.words(
        en="Send me a parcel's number of 8 digits and I tell you where it is; “status” tells it of the last one again. "
        "I can also tell you when it changes. “Human” brings a human, “stop” ends my messages, and with “delete my "
        "data” I forget you.",
        de="Schicken Sie mir eine Paketnummer mit 8 Ziffern, und ich sage Ihnen, wo das Paket ist; „Status“ zeigt das "
        "letzte noch einmal. Ich melde mich auch, wenn sich etwas ändert. „Mensch“ holt einen Menschen, „Stopp“ "
        "beendet meine Nachrichten, und mit „Lösche meine Daten“ vergesse ich Sie.",
    )
    return _offer(turn, said)


@bot.text(en=("english", "in english"), de=("deutsch", "auf deutsch"))
def speak(turn: Asked) -> Answered:
    """Change the language: the phrase itself has done it."""
    return _offer(turn, turn.words(en="Let us speak English.", de="Sprechen wir Deutsch."))


@bot.text("status", en=("where is my parcel", "track"), de=("wo ist mein paket", "sendung verfolgen"))
@bot.postback("STATUS")
@bot.quick_reply("STATUS")
def status(turn: Asked) -> Answered:
    """Tell where the parcel is that was asked about last, or ask for its number."""
    if turn.state.parcel:
        return _track(turn, turn.state.parcel)
    return turn.words(
        en="Which parcel? Please send me its number of 8 digits.",
        de="Welches Paket? Schicken Sie mir bitte seine Nummer mit 8 Ziffern.",
    )


@bot.pattern(r"(?<![0-9])(?P<number>[0-9]{4}[ -]?[0-9]{4})(?![0-9])", Found)
def number(turn: Asked, found: Found) -> Answered:
    """Tell where the parcel of that number is."""
    return _track(turn, found.number.replace(" ", "").replace("-", ""))


@bot.referral("TRACK")
@bot.postback("TRACK")
def link(turn: Asked) -> Answered:
    """Come by a link such as `m.me/PAGE?ref=TRACK:12345678`, or a button of that payload."""
    return _track(turn, turn.argument) if _is_number(turn.argument) else greet(turn)


# Telling of changes


@bot.quick_reply("WATCH")
def watch(turn: Asked) -> Answered:
    """Promise to tell of changes, and ask to be allowed to outside the messaging window."""
    if not _is_number(turn.argument):
        return status(turn)
    said = turn.words(
        en=f"I will tell you when parcel {turn.argument} gets further within a day.",
        de=f"Ich melde mich, wenn Paket {turn.argument} innerhalb eines Tages weiterkommt.",
    )
    state = turn.state.replace(watched=turn.argument)
    if turn.event.platform == "instagram":  # nobody can be asked there
        return Reply(said, state=state)
    later = turn.words(en="May I also do so later?", de="Darf ich das auch später noch?")
    title = turn.words(en=f"News of parcel {turn.argument}", de=f"Neues von Paket {turn.argument}")
    return Reply((f"{said} {later}", AskToNotify(title, f"WATCH:{turn.argument}")), state=state)


@bot.opt_in("WATCH")
def allow(turn: Turn[Customer, OptedIn]) -> Answered:
    """Keep the consent, or drop it when it is taken back."""
    if turn.event.stops:
        return Reply(state=turn.state.replace(token=""))
    return Reply(state=turn.state.replace(watched=turn.argument, token=turn.event.token))


@bot.notice("parcel")
def changed(turn: Turn[Customer, Notice]) -> Answered:
    """Tell of a change, to who asked for it: as an update within the window, by their consent outside it."""
    parcel = turn.context.parcels.find(turn.state.watched, turn.context.now) if turn.state.watched else None
    if parcel is None or turn.event.get("number") != parcel.number:
        return None
    message = _overview(turn, parcel)
    delivered = parcel.step == Step.DELIVERED
    if turn.window_open:
        return Reply(Update(message), state=turn.state.replace(watched="", token="") if delivered else None)
    if not turn.state.token:
        return None
    # The consent was asked for once: the person gives another with the next "Tell me of changes".
    state = turn.state.replace(token="", watched="" if delivered else parcel.number)
    return Reply(Notification(message, turn.state.token), state=state)


# All else


@bot.attachment(Sticker)
def sticker(_: Asked) -> Answered:
    """Answer a thumb with a thumb."""
    return "👍"


@bot.attachment(Image, Video)
def picture(turn: Asked) -> Answered:
    """Say that pictures are not looked at."""
    said = turn.words(
        en="I cannot look at pictures. Please type the number of 8 digits that is on the label.",
        de="Bilder kann ich nicht ansehen. Bitte tippen Sie die Nummer mit 8 Ziffern ab, die auf dem Aufkleber steht.",
    )
    return _offer(turn, said)


@bot.attachment(Audio)
def voice(turn: Asked) -> Answered:
    """Say that nothing is listened to."""
    said = turn.words(
        en="I cannot listen to messages. Please type what you would like to know.",
        de="Sprachnachrichten kann ich nicht anhören. Bitte tippen Sie, was Sie wissen möchten.",
    )
    return _offer(turn, said)


@bot.reaction("love", "👍")
def liked(turn: Asked) -> Answered:
    """Be glad."""
    return turn.words(en="Glad to help!", de="Gern geschehen!")


@bot.text(en=("thanks", "thank you"), de=("danke", "vielen dank"))
def thanked(turn: Asked) -> Answered:
    """Be glad."""
    return liked(turn)


@bot.postback("LEX")
@bot.quick_reply("LEX")
def chosen(turn: Asked) -> Answered:
    """Tell Lex which of its choices was taken."""
    return _by_lex(turn, turn.argument) or explain(turn)


@bot.fallback
def explain(turn: Asked) -> Answered:
    """Let Lex understand it, where there is Lex; else say that it was not understood, and what would be."""
    if isinstance(turn.event, TextMessage) and (understood := _by_lex(turn, turn.event.text)):
        return understood
    said = turn.words(
        en="I did not understand that: I am a bot and know about parcels only. Send me a parcel's number of 8 digits, "
        "or write “status”.",
        de="Das habe ich nicht verstanden: Ich bin ein Bot und kenne mich nur mit Paketen aus. Schicken Sie mir eine "
        "Paketnummer mit 8 Ziffern, oder schreiben Sie „Status“.",
    )
    return _offer(turn, said)


@bot.error
def sorry(turn: Asked, error: Exception) -> Answered:
    """Say that something went wrong; what it was is in the log."""
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


# Words and pictures


def _offer(turn: Asked, said: str) -> Text:
    """The text with what one would want next."""
    replies = (
        QuickReply(turn.words(en="Status", de="Status"), "STATUS"),
        QuickReply(turn.words(en="Help", de="Hilfe"), "HELP"),
        QuickReply(turn.words(en="Talk to a human", de="Mit Mensch sprechen"), "HUMAN"),
    )
    return Text(said, quick_replies=replies)


def _by_lex(turn: Asked, text: str) -> tuple[Message, ...] | None:
    return understand(turn, text, yes=turn.words(en="Yes", de="Ja"), no=turn.words(en="No", de="Nein"))


def _is_number(text: str) -> bool:
    return len(text) == 8 and text.isascii() and text.isdigit()  # noqa: PLR2004 - a parcel's number has 8 digits


def _track(turn: Asked, number: str) -> Answered:
    parcel = turn.context.parcels.find(number, turn.context.now)
    if parcel is None:
        said = turn.words(
            en=f"I know no parcel {number}. Please check the number.",
            de=f"Ein Paket {number} kenne ich nicht. Bitte prüfen Sie die Nummer.",
        )
        return _offer(turn, said)
    return Reply(_overview(turn, parcel), state=turn.state.replace(parcel=number))


def _overview(turn: Asked, parcel: Parcel) -> Content:
    """The four steps: a card each where there are pictures, else a line each."""
    steps = {
        Step.ANNOUNCED: turn.words(en="announced", de="angekündigt"),
        Step.IN_TRANSIT: turn.words(en="in transit", de="unterwegs"),
        Step.OUT_FOR_DELIVERY: turn.words(en="out for delivery", de="in Zustellung"),
        Step.DELIVERED: turn.words(en="delivered", de="zugestellt"),
    }
    replies = [QuickReply(turn.words(en="Look again", de="Noch einmal"), "STATUS")]
    if parcel.step != Step.DELIVERED:
        title = turn.words(en="Tell me of changes", de="Bei Änderung melden")
        replies.append(QuickReply(title, f"WATCH:{parcel.number}"))
    marks = {step: "✅" if step < parcel.step else "📍" if step == parcel.step else "⬜" for step in steps}
    name = turn.words(en=f"Parcel {parcel.number}", de=f"Paket {parcel.number}")
    headline = f"{name}: {steps[parcel.step]}"
    if turn.context.pictures:
        cards = (
            Card(f"{marks[step]} {said}", headline, image=f"{turn.context.pictures}/step-{step + 1}.png")
            for step, said in steps.items()
        )
        return Carousel(tuple(cards), quick_replies=tuple(replies))
    lines = (f"{marks[step]} {said}" for step, said in steps.items())
    return Text("\n".join((headline, *lines)), quick_replies=tuple(replies))
