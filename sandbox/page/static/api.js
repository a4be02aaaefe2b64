/** Talks to the sandbox: one stream of what happens, and the few things that one can do. */
import { toast } from "./dom.js";

/** Do something; what is wrong with it is told as a sentence. */
export async function post(path, body) {
  try {
    const answer = await fetch(path, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
    });
    const content = await answer.json();
    if (!answer.ok) throw new Error(content.error);
    return content;
  } catch (error) {
    toast(error instanceof TypeError ? "The sandbox does not answer: is it still running?" : error.message);
    return null;
  }
}

/** Ask for something. Null if it cannot be had just now. */
export async function get(path) {
  try {
    const answer = await fetch(path);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

/** Hand a file over, and learn its address. */
export async function upload(file) {
  const answer = await fetch(`/api/media?name=${encodeURIComponent(file.name)}`, {
    method: "POST", headers: { "content-type": file.type || "application/octet-stream", "x-sandbox": "1" }, body: file,
  });
  const content = await answer.json();
  if (!answer.ok) toast(content.error);
  return content.url ?? "";
}

const AGAIN_MS = 500;

/**
 * Follow what happens, for ever: after a break it goes on from where it stopped.
 * @param {(hello: Object) => void} greeted told at each connection what is.
 * @param {(notes: Object[]) => void} told of what happened, in order.
 * @param {(up: boolean) => void} connected told when the connection comes and goes.
 */
export function follow(greeted, told, connected) {
  let last = "";
  const open = () => {
    const stream = new EventSource(`/api/stream?after=${last}`);
    stream.addEventListener("hello", (event) => {
      const hello = JSON.parse(event.data);
      if (!last.startsWith(hello.instance)) last = "";
      greeted(hello);
      connected(true);
    });
    stream.addEventListener("notes", (event) => {
      last = event.lastEventId;
      told(JSON.parse(event.data));
    });
    stream.addEventListener("error", () => {
      connected(false);
      stream.close(); // the browser's own retry would give up after some answers
      setTimeout(open, AGAIN_MS);
    });
  };
  open();
}
