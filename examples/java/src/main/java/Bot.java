import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A small bot: it says hello, and where a parcel is, in English and German. */
public class Bot {

  private record Words(String hello, String which, String wrong, String help, String parcel, List<String> steps) {}

  private static final Words ENGLISH =
      new Words(
          "Hello! I am a bot, and I can tell you where your parcel is. Send me its 8-digit number.",
          "Which parcel? Please send me its 8-digit number.",
          "A parcel's number has 8 digits. Please send it again.",
          "Send me the 8-digit number of a parcel, or write “status”.",
          "Parcel",
          List.of("announced", "in transit", "out for delivery", "delivered"));
  private static final Words GERMAN =
      new Words(
          "Hallo! Ich bin ein Bot und sage Ihnen, wo Ihr Paket ist. Schicken Sie mir seine Nummer mit 8 Ziffern.",
          "Welches Paket? Schicken Sie mir bitte seine Nummer mit 8 Ziffern.",
          "Eine Paketnummer hat 8 Ziffern. Schicken Sie sie bitte noch einmal.",
          "Schicken Sie mir eine Paketnummer mit 8 Ziffern, oder schreiben Sie „Status“.",
          "Paket",
          List.of("angekündigt", "unterwegs", "in Zustellung", "zugestellt"));
  private static final Map<String, String> GREETINGS =
      Map.of("hello", "en", "hi", "en", "english", "en", "hallo", "de", "moin", "de", "deutsch", "de");

  /** Answer one event. */
  public Reply answer(Turn turn) {
    String said = whatWasSaid(turn.event());
    if (said == null) return Reply.silence();
    String known = turn.session().language();
    if (known.isEmpty()) known = turn.locale().startsWith("de") ? "de" : "en";
    return answer(said, turn.state(), GREETINGS.getOrDefault(said, known));
  }

  private static Reply answer(String said, Map<String, Object> state, String language) {
    Words words = language.equals("de") ? GERMAN : ENGLISH;
    if (said.equals("start") || GREETINGS.containsKey(said))
      return Reply.say(language, offerStatus(words.hello)).withState(Map.of()).thatDiscloses();
    if (said.matches("[0-9]{8}")) return Reply.say(language, overview(said, words)).withState(Map.of("parcel", said));
    if (said.equals("status") && state.get("parcel") instanceof String parcel)
      return Reply.say(language, overview(parcel, words));
    if (said.equals("status")) return Reply.say(language, words.which).withState(Map.of("asked", "number"));
    if ("number".equals(state.get("asked"))) return Reply.say(language, words.wrong);
    Reply help = Reply.say(language, offerStatus(words.help));
    return said.equals("help") ? help : help.thatDoesNotUnderstand();
  }

  /** The person's words, or the payload of what they tapped; null for anything else. */
  private static String whatWasSaid(Turn.Event event) {
    return switch (event.kind()) {
      case "text" -> event.text().strip().toLowerCase(Locale.ROOT);
      case "quick_reply", "postback" -> event.payload().toLowerCase(Locale.ROOT);
      default -> null;
    };
  }

  /** A text with a quick reply below it. */
  private static Map<String, Object> offerStatus(String text) {
    Map<String, String> status = Map.of("content_type", "text", "title", "Status", "payload", "STATUS");
    return Map.of("text", text, "quick_replies", List.of(status));
  }

  /** The four steps of a parcel. The parcels are made up: the number decides how far one is. */
  private static String overview(String number, Words words) {
    int reached = Integer.parseInt(number) % words.steps.size();
    List<String> lines = new ArrayList<>();
    lines.add(words.parcel + " " + number + ": " + words.steps.get(reached));
    for (int step = 0; step < words.steps.size(); step++) {
      String mark = step < reached ? "✅" : step == reached ? "📍" : "⬜";
      lines.add(mark + " " + words.steps.get(step));
    }
    return String.join("\n", lines);
  }
}
