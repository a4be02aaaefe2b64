import assert from "node:assert/strict";
import { test } from "node:test";

import { handler } from "./index.js";

/** A chat with one person: it keeps state and language, as the bot's worker does. */
function chat(locale = "") {
  let state = {};
  let language = "";
  return async (event) => {
    const session = { language, windowOpenUntil: 0, human: false };
    const reply = await handler({ version: 1, event, state, session, now: 0, locale });
    state = reply.state ?? state;
    language = reply.language ?? language;
    return (reply.messages ?? []).map((message) => message.text ?? message);
  };
}

const text = (text) => ({ kind: "text", text });

test("the number of a parcel gets its four steps", async () => {
  const says = chat();
  assert.deepEqual(await says(text("12345676")), [
    "Parcel 12345676: announced\n📍 announced\n⬜ in transit\n⬜ out for delivery\n⬜ delivered",
  ]);
  assert.deepEqual(await says(text("12345679")), [
    "Parcel 12345679: delivered\n✅ announced\n✅ in transit\n✅ out for delivery\n📍 delivered",
  ]);
});

test("the question for a number is asked until it is answered", async () => {
  const says = chat();
  assert.deepEqual(await says(text("Status")), ["Which parcel? Please send me its 8-digit number."]);
  assert.deepEqual(await says(text("the blue one")), ["A parcel's number has 8 digits. Please send it again."]);
  assert.match((await says(text("12345677")))[0], /^Parcel 12345677: in transit/);
  assert.match((await says(text("the blue one")))[0], /^Send me the 8-digit number/);
});

test("the last parcel is remembered", async () => {
  const says = chat();
  const first = await says(text("12345677"));
  assert.deepEqual(await says({ kind: "quick_reply", payload: "STATUS" }), first);
});

test("a German greeting changes the language, and it stays", async () => {
  const says = chat();
  assert.match((await says(text(" Hallo ")))[0], /^Hallo! Ich bin ein Bot/);
  assert.match((await says(text("12345678")))[0], /^Paket 12345678: in Zustellung/);
  assert.match((await says(text("hello")))[0], /^Hello! I am a bot/);
});

test("the locale decides until somebody greets", async () => {
  assert.match((await chat("de_DE")(text("?")))[0], /^Schicken Sie mir/);
  assert.match((await chat("fr_FR")(text("?")))[0], /^Send me/);
});

test("anything but words and taps is met with silence", async () => {
  assert.deepEqual(await chat()({ kind: "reaction" }), []);
});
