import java.util.List;
import java.util.Map;

/**
 * What the function returns.
 *
 * @param messages texts, messages as the Send API has them, or sender actions
 * @param state replaces the state; null keeps the old one
 * @param language kept in the session; null keeps the old one
 * @param handOver true gives the conversation to a human, false takes it back, null changes nothing
 * @param forget true deletes everything that is known about the person
 * @param optIns messages to somebody who opted in to notifications
 */
public record Reply(
    List<Object> messages,
    Map<String, Object> state,
    String language,
    Boolean handOver,
    boolean forget,
    List<OptIn> optIns) {

  /** A message to somebody who opted in to notifications. */
  public record OptIn(String token, Object message) {}

  /** Say nothing, and keep everything as it is. */
  public static Reply silence() {
    return new Reply(List.of(), null, null, null, false, List.of());
  }

  /** Say something in a language, and keep the state. */
  public static Reply say(String language, Object... messages) {
    return new Reply(List.of(messages), null, language, null, false, List.of());
  }

  /** The same with another state. */
  public Reply withState(Map<String, Object> state) {
    return new Reply(messages, state, language, handOver, forget, optIns);
  }
}
