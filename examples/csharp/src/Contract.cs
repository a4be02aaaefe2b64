using System.Text.Json.Serialization;

/// <summary>
/// What the function gets: one event, with everything that it may look at. A time is in milliseconds since 1970.
/// </summary>
/// <param name="Version">Of this contract: 1.</param>
/// <param name="Event">What happened.</param>
/// <param name="State">What the last reply kept about this person; empty for somebody new.</param>
/// <param name="Session">What the bot itself keeps.</param>
/// <param name="Now">The time.</param>
/// <param name="Person">What the setting conversationPerson asks Facebook for.</param>
/// <param name="Locale">The person's locale, such as de_DE; "" if it is unknown.</param>
public record Turn(int Version, Event Event, State State, Session Session, long Now, Person Person, string Locale);

/// <summary>
/// One thing that the person did: the fields that most bots need. docs/any-language.md lists all kinds with all fields.
/// </summary>
/// <param name="Text">Of the kinds text and quick_reply; otherwise null.</param>
/// <param name="Waiting">Of the kind text: the same person's next texts, which wait right behind it.</param>
/// <param name="Payload">Of the kinds quick_reply and postback; otherwise null.</param>
public record Event(
    string Kind,
    string Id = "",
    string Page = "",
    string User = "",
    long? Timestamp = null,
    string Platform = "page",
    string? Text = null,
    Event[]? Waiting = null,
    string? Payload = null);

/// <summary>What the bot itself keeps.</summary>
/// <param name="Language">As an earlier reply set it; "" until then.</param>
/// <param name="WindowOpenUntil">Until when the page may write to this person; 0 if they never wrote.</param>
/// <param name="Human">Who has the conversation in place of the bot; null while the bot has it.</param>
/// <param name="Disclose">Whether the bot has to say that it is one.</param>
public record Session(string Language, long WindowOpenUntil, Human? Human, bool Disclose);

/// <summary>A human who has the conversation, or is asked for. A time is 0 if it never came.</summary>
public record Human(long Since, long Until, long Wrote, long Waiting);

/// <summary>What Facebook says about the person. A field is "" if it is unknown.</summary>
public record Person(string FirstName, string LastName, string ProfilePic);

/// <summary>What this bot keeps about a person.</summary>
public record State(string? Asked = null, string? Parcel = null);

/// <summary>What the function returns. Without messages it is silence, and without a state the old one stays.</summary>
/// <param name="Messages">Texts, messages as the Send API has them, or sender actions.</param>
/// <param name="HandOver">true gives the conversation to a human, false takes it back, null changes nothing.</param>
/// <param name="Forget">true deletes everything that is known about the person.</param>
public record Reply(object[] Messages, State? State = null, string? Language = null, bool? HandOver = null, bool Forget = false)
{
    /// <summary>true if the messages say themselves that this is a bot.</summary>
    public bool Disclosed { get; init; }

    /// <summary>false if the bot did not understand what the person wrote.</summary>
    public bool Understood { get; init; } = true;

    /// <summary>How many messages this answers: the event, and the first of those in its Waiting.</summary>
    public int Together { get; init; } = 1;

    /// <summary>Why it is given to a human, for the app in the setting inboxAppId.</summary>
    public string Reason { get; init; } = "";

    /// <summary>true sends the messages also while the person waits for a human who has not written yet.</summary>
    public bool Always { get; init; }

    /// <summary>A reply to a comment that everybody can read; "" for none.</summary>
    public string PublicReply { get; init; } = "";

    /// <summary>Messages that may be sent outside the messaging window.</summary>
    public News[] News { get; init; } = [];

    /// <summary>Messages to somebody who opted in to notifications.</summary>
    public OptIn[] OptIns { get; init; } = [];
}

/// <summary>A message that goes by a template outside the messaging window, or with the token of an opt-in.</summary>
public record News(object Message, Template? Template = null, string Token = "");

/// <summary>A template that Facebook has approved, with its placeholders filled in.</summary>
/// <param name="Payload">Fills the placeholder in the payload of its button.</param>
public record Template(string Name, string Language, Dictionary<string, string> Values, string Payload = "");

/// <summary>A message to somebody who opted in to notifications.</summary>
public record OptIn(string Token, object Message);

/// <summary>A text with quick replies, as the Send API has it.</summary>
public record Message(string Text, [property: JsonPropertyName("quick_replies")] QuickReply[] QuickReplies);

/// <summary>A quick reply, as the Send API has it.</summary>
public record QuickReply(
    string Title,
    string Payload,
    [property: JsonPropertyName("content_type")] string ContentType = "text");
