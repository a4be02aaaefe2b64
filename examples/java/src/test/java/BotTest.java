import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The bot, as a chat with one person. */
class BotTest {

  /** Keeps state and language, as the bot's worker does. */
  private static class Chat {
    private final String locale;
    private Map<String, Object> state = Map.of();
    private String language = "";

    Chat(String locale) {
      this.locale = locale;
    }

    List<String> sends(String kind, String text, String payload) {
      Turn.Event event = new Turn.Event(kind, "m_1", "1", "2", 0L, "page", text, payload);
      Turn.Session session = new Turn.Session(language, 0, false);
      Reply reply = new Bot().answer(new Turn(1, event, state, session, 0, locale));
      if (reply.state() != null) state = reply.state();
      if (reply.language() != null) language = reply.language();
      return reply.messages().stream()
          .map(each -> each instanceof Map<?, ?> message ? (String) message.get("text") : (String) each)
          .toList();
    }

    List<String> says(String text) {
      return sends("text", text, null);
    }
  }

  private static void assertStarts(String start, List<String> answers) {
    assertTrue(answers.get(0).startsWith(start), answers.get(0));
  }

  @Test
  void theNumberOfAParcelGetsItsFourSteps() {
    Chat chat = new Chat("");
    assertEquals(
        List.of("Parcel 12345676: announced\n📍 announced\n⬜ in transit\n⬜ out for delivery\n⬜ delivered"),
        chat.says("12345676"));
    assertEquals(
        List.of("Parcel 12345679: delivered\n✅ announced\n✅ in transit\n✅ out for delivery\n📍 delivered"),
        chat.says("12345679"));
  }

  @Test
  void theQuestionForANumberIsAskedUntilItIsAnswered() {
    Chat chat = new Chat("");
    assertEquals(List.of("Which parcel? Please send me its 8-digit number."), chat.says("Status"));
    assertEquals(List.of("A parcel's number has 8 digits. Please send it again."), chat.says("the blue one"));
    assertStarts("Parcel 12345677: in transit", chat.says("12345677"));
    assertStarts("Send me the 8-digit number", chat.says("the blue one"));
  }

  @Test
  void theLastParcelIsRemembered() {
    Chat chat = new Chat("");
    List<String> first = chat.says("12345677");
    assertEquals(first, chat.sends("quick_reply", "Status", "STATUS"));
  }

  @Test
  void aGermanGreetingChangesTheLanguageAndItStays() {
    Chat chat = new Chat("");
    assertStarts("Hallo! Ich bin ein Bot", chat.says(" Hallo "));
    assertStarts("Paket 12345678: in Zustellung", chat.says("12345678"));
    assertStarts("Hello! I am a bot", chat.says("hello"));
  }

  @Test
  void theLocaleDecidesUntilSomebodyGreets() {
    assertStarts("Schicken Sie mir", new Chat("de_DE").says("?"));
    assertStarts("Send me", new Chat("fr_FR").says("?"));
  }

  @Test
  void anythingButWordsAndTapsIsMetWithSilence() {
    assertEquals(List.of(), new Chat("").sends("reaction", null, null));
  }
}
