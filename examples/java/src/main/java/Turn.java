import java.util.List;
import java.util.Map;

/**
 * What the function gets: one event, with everything that it may look at. A time is in milliseconds since 1970.
 *
 * @param version of this contract; 1
 * @param event what happened
 * @param state what the last reply kept about this person; empty for somebody new
 * @param session what the bot itself keeps
 * @param now the time
 * @param person what the setting {@code conversationPerson} asks Facebook for
 * @param locale the person's locale, such as {@code de_DE}; "" if it is unknown
 */
public record Turn(
    int version,
    Event event,
    Map<String, Object> state,
    Session session,
    long now,
    Person person,
    String locale) {

  /**
   * One thing that the person did: the fields that most bots need. docs/any-language.md lists all kinds with all fields.
   *
   * @param text of the kinds {@code text} and {@code quick_reply}; otherwise null
   * @param waiting of the kind {@code text}: the same person's next texts, which wait right behind it; otherwise null
   * @param payload of the kinds {@code quick_reply} and {@code postback}; otherwise null
   */
  public record Event(
      String kind,
      String id,
      String page,
      String user,
      Long timestamp,
      String platform,
      String text,
      List<Event> waiting,
      String payload) {}

  /**
   * What the bot itself keeps.
   *
   * @param language as an earlier reply set it; "" until then
   * @param windowOpenUntil until when the page may write to this person; 0 if they never wrote
   * @param human who has the conversation in place of the bot; null while the bot has it
   * @param disclose whether the bot has to say that it is one
   */
  public record Session(String language, long windowOpenUntil, Human human, boolean disclose) {}

  /** A human who has the conversation, or is asked for. A time is 0 if it never came. */
  public record Human(long since, long until, long wrote, long waiting) {}

  /** What Facebook says about the person. A field is "" if it is unknown. */
  public record Person(String firstName, String lastName, String profilePic) {}
}
