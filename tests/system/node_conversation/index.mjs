// A conversation for the tests of the contract: each word does one thing, right or wrong.
const said = {
  hello: () => ({ messages: ["Hello."], disclosed: false }),
  burst: ({ event: { text, waiting } }) => ({
    messages: [[text, ...waiting.map((each) => each.text)].join(" ")],
    together: 1 + waiting.length,
  }),
  silence: () => ({}),
  count: ({ state }) => ({ messages: [`Count ${(state.count ?? 0) + 1}`], state: { count: (state.count ?? 0) + 1 } }),
  turn: (turn) => ({
    messages: [JSON.stringify({ ...turn, event: { kind: turn.event.kind, text: turn.event.text } })],
    always: true,
  }),
  deutsch: () => ({ messages: ["Gut."], language: "de" }),
  human: () => ({ messages: ["A colleague will write to you."], handOver: true }),
  bot: () => ({ messages: ["I am back."] }),
  zurück: () => ({ messages: ["Da bin ich."], handOver: false }),
  forget: () => ({ messages: ["Forgotten."], forget: true }),
  buttons: () => ({
    messages: [
      { sender_action: "typing_on" },
      { text: "Which?", quick_replies: [{ content_type: "text", title: "One", payload: "ONE" }] },
      {
        attachment: {
          type: "template",
          payload: { template_type: "button", text: "More", buttons: [{ type: "postback", title: "Go", payload: "GO" }] },
        },
      },
    ],
  }),
  raise: () => {
    throw new RangeError("secret words of a person");
  },
  refused: () => ({ messages: ["First.", { text: "Which?", quick_replies: [{ content_type: "text", title: "x".repeat(21) }] }] }),
  nonsense: () => "nonsense",
  nothing: () => undefined,
  late: () => new Promise((answer) => setTimeout(() => answer({ messages: ["Too late."] }), 60_000)),
  slow: () => new Promise((answer) => setTimeout(() => answer({ messages: ["Slowly."] }), 3_000)),
  exit: () => process.exit(1),
};

const other = ({ event }) => ({ messages: [`You said ${event.text}`] });

// What a comment is answered with, in private and in public.
const comment = ({ event }) => ({ messages: [`About ${event.text}`], publicReply: "I wrote to you." });

// It says itself that it is a bot, but for one word.
const disclosing = (reply) => (typeof reply?.messages === "object" ? { disclosed: true, ...reply } : reply);

export const handler = (turn) => {
  const reply = (turn.event.kind === "comment" ? comment : (said[turn.event.text] ?? other))(turn);
  return reply?.then ? reply.then(disclosing) : disclosing(reply);
};
