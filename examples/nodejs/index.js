// @ts-check
/** A small bot: it says hello, and where a parcel is, in English and German. */

/** @typedef {{ asked?: "number", parcel?: string }} State */
/** @typedef {import("./contract.d.ts").Turn<State>} Turn */
/** @typedef {import("./contract.d.ts").Reply<State>} Reply */

const WORDS = {
  en: {
    hello: "Hello! I am a bot, and I can tell you where your parcel is. Send me its 8-digit number.",
    which: "Which parcel? Please send me its 8-digit number.",
    wrong: "A parcel's number has 8 digits. Please send it again.",
    help: "Send me the 8-digit number of a parcel, or write “status”.",
    parcel: "Parcel",
    steps: ["announced", "in transit", "out for delivery", "delivered"],
  },
  de: {
    hello: "Hallo! Ich bin ein Bot und sage Ihnen, wo Ihr Paket ist. Schicken Sie mir seine Nummer mit 8 Ziffern.",
    which: "Welches Paket? Schicken Sie mir bitte seine Nummer mit 8 Ziffern.",
    wrong: "Eine Paketnummer hat 8 Ziffern. Schicken Sie sie bitte noch einmal.",
    help: "Schicken Sie mir eine Paketnummer mit 8 Ziffern, oder schreiben Sie „Status“.",
    parcel: "Paket",
    steps: ["angekündigt", "unterwegs", "in Zustellung", "zugestellt"],
  },
};
const GREETINGS = new Map([
  ["hello", "en"],
  ["hi", "en"],
  ["english", "en"],
  ["hallo", "de"],
  ["moin", "de"],
  ["deutsch", "de"],
]);

/**
 * Answer one event.
 *
 * @param {Turn} turn
 * @returns {Promise<Reply>}
 */
export async function handler({ event, state, session, locale }) {
  const said = whatWasSaid(event);
  if (said === null) return {};
  const known = session.language || (locale.startsWith("de") ? "de" : "en");
  const language = GREETINGS.get(said) ?? known;
  return { language, ...answer(said, state, language === "de" ? WORDS.de : WORDS.en) };
}

/**
 * The messages, and the new state.
 *
 * @param {string} said
 * @param {State} state
 * @param {typeof WORDS.en} words
 * @returns {Reply}
 */
function answer(said, state, words) {
  if (said === "start" || GREETINGS.has(said)) {
    return { messages: [offerStatus(words.hello)], state: {}, disclosed: true };
  }
  if (/^[0-9]{8}$/.test(said)) return { messages: [overview(said, words)], state: { parcel: said } };
  if (said === "status" && state.parcel) return { messages: [overview(state.parcel, words)] };
  if (said === "status") return { messages: [words.which], state: { asked: "number" } };
  if (state.asked === "number") return { messages: [words.wrong] };
  return { messages: [offerStatus(words.help)], understood: said === "help" };
}

/**
 * The person's words, or the payload of what they tapped; null for anything else.
 *
 * @param {Turn["event"]} event
 */
function whatWasSaid(event) {
  switch (event.kind) {
    case "text":
      return event.text.trim().toLowerCase();
    case "quick_reply":
    case "postback":
      return event.payload.toLowerCase();
    default:
      return null;
  }
}

/**
 * A text with a quick reply below it.
 *
 * @param {string} text
 */
function offerStatus(text) {
  return { text, quick_replies: [{ content_type: "text", title: "Status", payload: "STATUS" }] };
}

/**
 * The four steps of a parcel. The parcels are made up: the number decides how far one is.
 *
 * @param {string} number
 * @param {typeof WORDS.en} words
 */
function overview(number, words) {
  const reached = Number(number) % words.steps.length;
  const lines = words.steps.map((step, index) => `${index < reached ? "✅" : index === reached ? "📍" : "⬜"} ${step}`);
  return [`${words.parcel} ${number}: ${words.steps[reached]}`, ...lines].join("\n");
}
