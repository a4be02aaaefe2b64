using Xunit;

/// <summary>The bot, as a chat with one person.</summary>
public class BotTests
{
    /// <summary>Keeps state and language, as the bot's worker does.</summary>
    private class Chat(string locale = "")
    {
        private State _state = new();
        private string _language = "";

        public string[] Sends(Event happened)
        {
            var reply = Bot.Answer(new Turn(1, happened, _state, new Session(_language, 0, false), 0, locale));
            _state = reply.State ?? _state;
            _language = reply.Language ?? _language;
            return reply.Messages.Select(each => each is Message message ? message.Text : (string)each).ToArray();
        }

        public string[] Says(string text) => Sends(new Event("text", Text: text));
    }

    [Fact]
    public void The_number_of_a_parcel_gets_its_four_steps()
    {
        var chat = new Chat();
        Assert.Equal(
            new[] { "Parcel 12345676: announced\n📍 announced\n⬜ in transit\n⬜ out for delivery\n⬜ delivered" },
            chat.Says("12345676"));
        Assert.Equal(
            new[] { "Parcel 12345679: delivered\n✅ announced\n✅ in transit\n✅ out for delivery\n📍 delivered" },
            chat.Says("12345679"));
    }

    [Fact]
    public void The_question_for_a_number_is_asked_until_it_is_answered()
    {
        var chat = new Chat();
        Assert.Equal(new[] { "Which parcel? Please send me its 8-digit number." }, chat.Says("Status"));
        Assert.Equal(new[] { "A parcel's number has 8 digits. Please send it again." }, chat.Says("the blue one"));
        Assert.StartsWith("Parcel 12345677: in transit", chat.Says("12345677")[0]);
        Assert.StartsWith("Send me the 8-digit number", chat.Says("the blue one")[0]);
    }

    [Fact]
    public void The_last_parcel_is_remembered()
    {
        var chat = new Chat();
        var first = chat.Says("12345677");
        Assert.Equal(first, chat.Sends(new Event("quick_reply", Payload: "STATUS")));
    }

    [Fact]
    public void A_German_greeting_changes_the_language_and_it_stays()
    {
        var chat = new Chat();
        Assert.StartsWith("Hallo! Ich bin ein Bot", chat.Says(" Hallo ")[0]);
        Assert.StartsWith("Paket 12345678: in Zustellung", chat.Says("12345678")[0]);
        Assert.StartsWith("Hello! I am a bot", chat.Says("hello")[0]);
    }

    [Fact]
    public void The_locale_decides_until_somebody_greets()
    {
        Assert.StartsWith("Schicken Sie mir", new Chat("de_DE").Says("?")[0]);
        Assert.StartsWith("Send me", new Chat("fr_FR").Says("?")[0]);
    }

    [Fact]
    public void Anything_but_words_and_taps_is_met_with_silence()
    {
        Assert.Empty(new Chat().Sends(new Event("reaction")));
    }
}
