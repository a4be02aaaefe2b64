// A conversation for the tests of the contract: each word does one thing, right or wrong.
const said = {
  hello: () => ({ messages: ["Hello."], disclosed: false }),
  count: ({ state }) => ({ messages: [`Count ${(state.count ?? 0) + 1}`], state: { count: (state.count ?? 0) + 1 } }),
  turn: (turn) => ({
    messages: [JSON.stringify({ ...turn, event: { kind: turn.event.kind, text: turn.event.text } })],
  }),
  deutsch: () => ({ messages: ["Gut."], language: "de" }),
  forget: () => ({ messages: ["Forgotten."], forget: true }),
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

// It says itself that it is a bot, but for one word.
const disclosing = (reply) => (typeof reply?.messages === "object" ? { disclosed: true, ...reply } : reply);

export const handler = (turn) => {
  const reply = (said[turn.event.text] ?? other)(turn);
  return reply?.then ? reply.then(disclosing) : disclosing(reply);
};
