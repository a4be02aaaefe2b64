/** Talks to the sandbox: follows what happens there, and sends what is done on the page. */
import { toast } from "./dom.js";

/**
 * Send something. A toast says what is wrong with it; the answer is null then.
 * @param {() => void} [offline] called, in place of the toast, if the sandbox does not answer.
 */
export async function post(path, body, offline = () => toast("The sandbox does not answer: is it still running?")) {
  try {
    const answer = await fetch(path, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
    });
    const content = await answer.json();
    if (!answer.ok) throw new Error(content.error);
    return content;
  } catch (error) {
    if (error instanceof TypeError) offline();
    else toast(error.message);
    return null;
  }
}

/** Read something. Null if it cannot be read just now. */
export async function get(path) {
  try {
    const answer = await fetch(path);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

/** Upload a file. The answer is its URL. */
export async function upload(file) {
  const answer = await fetch(`/api/media?name=${encodeURIComponent(file.name)}`, {
    method: "POST", headers: { "content-type": file.type || "application/octet-stream", "x-sandbox": "1" }, body: file,
  });
  const content = await answer.json();
  if (!answer.ok) toast(content.error);
  return content.url ?? "";
}

const RECONNECT_MS = 500;

/**
 * Follow what happens. After a lost connection it continues where it stopped.
 * @param {(hello: Object) => void} onHello takes the current state at each connection.
 * @param {(notes: Object[]) => void} onNotes takes what happened, in order.
 * @param {(up: boolean) => void} onConnection called when the connection comes and goes.
 */
export function follow(onHello, onNotes, onConnection) {
  let last = "";
  const open = () => {
    const stream = new EventSource(`/api/stream?after=${last}`);
    stream.addEventListener("hello", (event) => {
      const hello = JSON.parse(event.data);
      if (!last.startsWith(hello.instance)) last = "";
      onHello(hello);
      onConnection(true);
    });
    stream.addEventListener("notes", (event) => {
      last = event.lastEventId;
      onNotes(JSON.parse(event.data));
    });
    stream.addEventListener("error", () => {
      onConnection(false);
      stream.close(); // the browser's own retry stops after some answers
      setTimeout(open, RECONNECT_MS);
    });
  };
  open();
}
