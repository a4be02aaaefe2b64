using System.Text.RegularExpressions;

/// <summary>A small bot: it says hello, and where a parcel is, in English and German.</summary>
public static class Bot
{
    private record Words(string Hello, string Which, string Wrong, string Help, string Parcel, string[] Steps);

    private static readonly Words English = new(
        Hello: "Hello! I am a bot, and I can tell you where your parcel is. Send me its 8-digit number.",
        Which: "Which parcel? Please send me its 8-digit number.",
        Wrong: "A parcel's number has 8 digits. Please send it again.",
        Help: "Send me the 8-digit number of a parcel, or write “status”.",
        Parcel: "Parcel",
        Steps: ["announced", "in transit", "out for delivery", "delivered"]);

    private static readonly Words German = new(
        Hello: "Hallo! Ich bin ein Bot und sage Ihnen, wo Ihr Paket ist. Schicken Sie mir seine Nummer mit 8 Ziffern.",
        Which: "Welches Paket? Schicken Sie mir bitte seine Nummer mit 8 Ziffern.",
        Wrong: "Eine Paketnummer hat 8 Ziffern. Schicken Sie sie bitte noch einmal.",
        Help: "Schicken Sie mir eine Paketnummer mit 8 Ziffern, oder schreiben Sie „Status“.",
        Parcel: "Paket",
        Steps: ["angekündigt", "unterwegs", "in Zustellung", "zugestellt"]);

    private static readonly Dictionary<string, string> Greetings = new()
    {
        ["hello"] = "en",
        ["hi"] = "en",
        ["english"] = "en",
        ["hallo"] = "de",
        ["moin"] = "de",
        ["deutsch"] = "de",
    };

    /// <summary>Answer one event.</summary>
    public static Reply Answer(Turn turn)
    {
        var said = WhatWasSaid(turn.Event);
        if (said is null) return new Reply([]);
        var known = turn.Session.Language;
        if (known == "") known = turn.Locale.StartsWith("de", StringComparison.Ordinal) ? "de" : "en";
        var language = Greetings.GetValueOrDefault(said, known);
        return Answer(said, turn.State, language == "de" ? German : English) with { Language = language };
    }

    private static Reply Answer(string said, State state, Words words)
    {
        if (said == "start" || Greetings.ContainsKey(said))
            return new Reply([OfferStatus(words.Hello)], new State()) { Disclosed = true };
        if (Regex.IsMatch(said, @"\A[0-9]{8}\z")) return new Reply([Overview(said, words)], new State(Parcel: said));
        if (said == "status" && state.Parcel is not null) return new Reply([Overview(state.Parcel, words)]);
        if (said == "status") return new Reply([words.Which], new State(Asked: "number"));
        if (state.Asked == "number") return new Reply([words.Wrong]);
        return new Reply([OfferStatus(words.Help)]) { Understood = said == "help" };
    }

    /// <summary>The person's words, or the payload of what they tapped; null for anything else.</summary>
    private static string? WhatWasSaid(Event happened) => happened.Kind switch
    {
        "text" => happened.Text?.Trim().ToLowerInvariant(),
        "quick_reply" or "postback" => happened.Payload?.ToLowerInvariant(),
        _ => null,
    };

    /// <summary>A text with a quick reply below it.</summary>
    private static Message OfferStatus(string text) => new(text, [new QuickReply("Status", "STATUS")]);

    /// <summary>The four steps of a parcel. The parcels are made up: the number decides how far one is.</summary>
    private static string Overview(string number, Words words)
    {
        var reached = int.Parse(number) % words.Steps.Length;
        var lines = words.Steps.Select((step, index) => $"{(index < reached ? "✅" : index == reached ? "📍" : "⬜")} {step}");
        return string.Join("\n", lines.Prepend($"{words.Parcel} {number}: {words.Steps[reached]}"));
    }
}
