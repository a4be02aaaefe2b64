/** What the function gets: one event, with everything that it may look at. A time is in milliseconds since 1970. */
export interface Turn<State> {
  version: 1;
  event: Event;
  /** What the last reply kept about this person; empty for somebody new. */
  state: Partial<State>;
  session: {
    /** As an earlier reply set it; "" until then. */
    language: string;
    windowOpenUntil: number;
    /** Whether a human has the conversation. */
    human: boolean;
  };
  now: number;
  /** Such as `de_DE`; "" if it is unknown. */
  locale: string;
}

/** One thing that the person did. docs/any-language.md lists all kinds with their fields. */
export type Event =
  | (Common & { kind: "text"; text: string })
  | (Common & { kind: "quick_reply" | "postback"; payload: string })
  | (Common & { kind: "attachment"; attachments: { type: string; url: string }[] })
  | (Common & { kind: "opt_in"; token: string; payload: string })
  | (Common & { kind: "another kind" });

interface Common {
  id: string;
  page: string;
  user: string;
  timestamp: number | null;
  platform: "page" | "instagram";
}

/** What the function returns. Everything may be left out: `{}` is silence. */
export interface Reply<State> {
  /** Texts, messages as the Send API has them, or sender actions such as `{ sender_action: "typing_on" }`. */
  messages?: (string | Message)[];
  /** Replaces the state. Without it, the old one stays. */
  state?: State;
  language?: string;
  /** true gives the conversation to a human; false takes it back. */
  handOver?: boolean;
  /** true deletes everything that is known about the person. */
  forget?: boolean;
  optIns?: { token: string; message: string | Message }[];
}

/** A message as the Send API has it. */
export interface Message {
  text?: string;
  attachment?: object;
  quick_replies?: { content_type: string; title?: string; payload?: string; image_url?: string }[];
  sender_action?: string;
}
