import java.util.List;
import java.util.Map;

/**
 * What the function returns.
 *
 * @param messages texts, messages as the Send API has them, or sender actions
 * @param state replaces the state; null keeps the old one
 * @param language kept in the session; null keeps the old one
 * @param disclosed true if the messages say themselves that this is a bot
 * @param understood false if the bot did not understand what the person wrote
 * @param together how many messages this answers: the event, and the first of those in its {@code waiting}
 * @param handOver true gives the conversation to a human, false takes it back, null changes nothing
 * @param reason why it is given to a human, for the app in the setting {@code inboxAppId}; "" for no reason
 * @param always true sends the messages also while the person waits for a human who has not written yet
 * @param forget true deletes everything that is known about the person
 * @param publicReply a reply to a comment that everybody can read; "" for none
 * @param news messages that may be sent outside the messaging window
 * @param optIns messages to somebody who opted in to notifications
 */
public record Reply(
    List<Object> messages,
    Map<String, Object> state,
    String language,
    boolean disclosed,
    boolean understood,
    int together,
    Boolean handOver,
    String reason,
    boolean always,
    boolean forget,
    String publicReply,
    List<News> news,
    List<OptIn> optIns) {

  /** A message that goes by a template outside the messaging window, or with the token of an opt-in; "" for none. */
  public record News(Object message, Template template, String token) {}

  /** A template that Facebook has approved, with its placeholders filled in; the payload is for that of its button. */
  public record Template(String name, String language, Map<String, String> values, String payload) {}

  /** A message to somebody who opted in to notifications. */
  public record OptIn(String token, Object message) {}

  /** Say nothing, and keep everything as it is. */
  public static Reply silence() {
    return say(null);
  }

  /** Say something in a language, and keep the state. */
  public static Reply say(String language, Object... messages) {
    List<Object> said = List.of(messages);
    return new Reply(said, null, language, false, true, 1, null, "", false, false, "", List.of(), List.of());
  }

  /** The same with another state. */
  public Reply withState(Map<String, Object> state) {
    return new Reply(
        messages, state, language, disclosed, understood, together, handOver, reason, always, forget, publicReply, news,
        optIns);
  }

  /** The same, whose messages say themselves that this is a bot. */
  public Reply thatDiscloses() {
    return new Reply(
        messages, state, language, true, understood, together, handOver, reason, always, forget, publicReply, news,
        optIns);
  }

  /** The same, to a text that the bot did not understand. */
  public Reply thatDoesNotUnderstand() {
    return new Reply(
        messages, state, language, disclosed, false, together, handOver, reason, always, forget, publicReply, news,
        optIns);
  }
}
