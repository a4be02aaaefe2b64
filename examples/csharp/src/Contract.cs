using System.Text.Json.Serialization;

/// <summary>
/// What the function gets: one event, with everything that it may look at. A time is in milliseconds since 1970.
/// </summary>
/// <param name="Version">Of this contract: 1.</param>
/// <param name="Event">What happened.</param>
/// <param name="State">What the last reply kept about this person; empty for somebody new.</param>
/// <param name="Session">What the bot itself keeps.</param>
/// <param name="Now">The time.</param>
/// <param name="Locale">The person's locale, such as de_DE; "" if it is unknown.</param>
public record Turn(int Version, Event Event, State State, Session Session, long Now, string Locale);

/// <summary>
/// One thing that the person did: the fields that most bots need. docs/any-language.md lists all kinds with all fields.
/// </summary>
/// <param name="Text">Of the kinds text and quick_reply; otherwise null.</param>
/// <param name="Payload">Of the kinds quick_reply and postback; otherwise null.</param>
public record Event(
    string Kind,
    string Id = "",
    string Page = "",
    string User = "",
    long? Timestamp = null,
    string Platform = "page",
    string? Text = null,
    string? Payload = null);

/// <summary>What the bot itself keeps.</summary>
/// <param name="Language">As an earlier reply set it; "" until then.</param>
/// <param name="WindowOpenUntil">Until when the page may write to this person; 0 if they never wrote.</param>
/// <param name="Human">Whether a human has the conversation.</param>
public record Session(string Language, long WindowOpenUntil, bool Human);

/// <summary>What this bot keeps about a person.</summary>
public record State(string? Asked = null, string? Parcel = null);

/// <summary>What the function returns. Without messages it is silence, and without a state the old one stays.</summary>
/// <param name="Messages">Texts, messages as the Send API has them, or sender actions.</param>
/// <param name="HandOver">true gives the conversation to a human, false takes it back, null changes nothing.</param>
/// <param name="Forget">true deletes everything that is known about the person.</param>
/// <param name="OptIns">Messages to somebody who opted in to notifications.</param>
public record Reply(object[] Messages, State? State = null, string? Language = null, bool? HandOver = null, bool Forget = false)
{
    public OptIn[] OptIns { get; init; } = [];
}

/// <summary>A message to somebody who opted in to notifications.</summary>
public record OptIn(string Token, object Message);

/// <summary>A text with quick replies, as the Send API has it.</summary>
public record Message(string Text, [property: JsonPropertyName("quick_replies")] QuickReply[] QuickReplies);

/// <summary>A quick reply, as the Send API has it.</summary>
public record QuickReply(
    string Title,
    string Payload,
    [property: JsonPropertyName("content_type")] string ContentType = "text");
