import java.util.Map;

/**
 * What the function gets: one event, with everything that it may look at. A time is in milliseconds since 1970.
 *
 * @param version of this contract; 1
 * @param event what happened
 * @param state what the last reply kept about this person; empty for somebody new
 * @param session what the bot itself keeps
 * @param now the time
 * @param locale the person's locale, such as {@code de_DE}; "" if it is unknown
 */
public record Turn(int version, Event event, Map<String, Object> state, Session session, long now, String locale) {

  /**
   * One thing that the person did: the fields that most bots need. docs/any-language.md lists all kinds with all fields.
   *
   * @param text of the kinds {@code text} and {@code quick_reply}; otherwise null
   * @param payload of the kinds {@code quick_reply} and {@code postback}; otherwise null
   */
  public record Event(
      String kind, String id, String page, String user, Long timestamp, String platform, String text, String payload) {}

  /**
   * What the bot itself keeps.
   *
   * @param language as an earlier reply set it; "" until then
   * @param windowOpenUntil until when the page may write to this person; 0 if they never wrote
   * @param human whether a human has the conversation
   */
  public record Session(String language, long windowOpenUntil, boolean human) {}
}
