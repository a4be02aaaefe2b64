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
    /** Who has the conversation in place of the bot; null while the bot has it. A time is 0 if it never came. */
    human: { since: number; until: number; wrote: number; waiting: number } | null;
    /** Whether the bot has to say that it is one. */
    disclose: boolean;
  };
  now: number;
  /** What the setting `conversationPerson` asks for; "" if it is unknown. */
  person: { firstName: string; lastName: string; profilePic: string };
  /** Such as `de_DE`; "" if it is unknown. */
  locale: string;
}

/** One thing that the person did. docs/any-language.md lists all kinds with their fields. */
export type Event =
  | Text
  | (Common & { kind: "quick_reply" | "postback"; payload: string })
  | (Common & { kind: "attachment"; attachments: { type: string; url: string }[] })
  | (Common & { kind: "opt_in"; token: string; payload: string })
  | (Common & { kind: "comment"; comment_id: string; text: string; post: string; author: string })
  | (Common & { kind: "notice"; topic: string; data: [name: string, text: string][] })
  | (Common & { kind: "another kind" });

export interface Text extends Common {
  kind: "text";
  text: string;
  /** The same person's next texts, which wait right behind this one. */
  waiting: Text[];
}

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
  /** true if the messages say themselves that this is a bot. */
  disclosed?: boolean;
  /** false if the bot did not understand what the person wrote. */
  understood?: boolean;
  /** How many messages this answers: the event, and the first of those in its `waiting`. Without it, 1. */
  together?: number;
  /** true gives the conversation to a human; false takes it back. */
  handOver?: boolean;
  /** Why it is given to a human, for the app in the setting `inboxAppId`. */
  reason?: string;
  /** true sends the messages also while the person waits for a human who has not written yet. */
  always?: boolean;
  /** true deletes everything that is known about the person. */
  forget?: boolean;
  /** A reply to a comment that everybody can read. */
  publicReply?: string;
  /** Messages that may be sent outside the messaging window, by a template or with the token of an opt-in. */
  news?: { message: string | Message; template?: Template; token?: string }[];
  optIns?: { token: string; message: string | Message }[];
}

/** A template that Facebook has approved, with its placeholders filled in. */
export interface Template {
  name: string;
  language: string;
  values: Record<string, string>;
  /** What fills the placeholder in the payload of its button. */
  payload?: string;
}

/** A message as the Send API has it, or a call of the Conversation Control API. */
export interface Message {
  text?: string;
  attachment?: object;
  quick_replies?: { content_type: string; title?: string; payload?: string; image_url?: string }[];
  sender_action?: string;
  control?: string;
  target_app_id?: string;
  metadata?: string;
}
