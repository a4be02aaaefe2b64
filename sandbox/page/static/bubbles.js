/** Draws each kind of message and template as Messenger does. */
import { h, icon } from "./dom.js";

const WEB_MEDIA = new URLSearchParams(location.search).get("media") === "web";

/** A URL that is safe in a link; null for one that could run a script. */
function address(url) {
  try {
    const parsed = new URL(url);
    return ["https:", "http:"].includes(parsed.protocol) ? parsed : null;
  } catch {
    return null;
  }
}

const isOwn = (url) => url.startsWith("/static/") || address(url)?.host === location.host || url.startsWith("blob:");

/** The bot names its assets on the stand-in; this server serves them too, and the page may load only its own. */
const localAsset = (url) => url.replace(/^http:\/\/127\.0\.0\.1:\d+(?=\/_sandbox\/assets\/[\w-]+\.png$)/, location.origin);

/** An image. One from the web is loaded only on request: nothing leaves this machine by itself. */
function image(source, label, shape = "") {
  const url = localAsset(source);
  if (isOwn(url) || WEB_MEDIA) return h("img", { src: url, alt: label, class: `photo ${shape}`, loading: "lazy" });
  const host = address(url)?.host ?? url;
  return h("div", { class: `photo placeholder ${shape}`, role: "img", "aria-label": `${label}: an image from ${host}` },
    h("span", {}, host));
}

function webLink(url, className, ...children) {
  const safe = address(url);
  if (!safe) return h("span", { class: className }, ...children);
  return h("a", { class: className, href: safe.href, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

/** A text, with its URLs as links. */
function text(content) {
  const parts = content.split(/(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)])/u);
  return h("div", { class: "text" }, parts.map((part, index) => (index % 2 ? webLink(part, "", part) : part)));
}

const ONLY_EMOJI = /^(?:\p{Extended_Pictographic}|\p{Emoji_Component}|\s){1,9}$/u;
const isBig = (content) => ONLY_EMOJI.test(content) && /\p{Extended_Pictographic}/u.test(content);

/** A template's button. `tap(action)` is called for a button that sends an event. */
function button(one, tap) {
  const label = { account_link: "Log in", account_unlink: "Log out" }[one.type] ?? one.title;
  switch (one.type) {
    case "web_url":
      return webLink(one.url, "template-button", one.title, icon("link"), h("span", { class: "hidden" }, " (opens a web page)"));
    case "phone_number":
      return h("a", { class: "template-button", href: `tel:${one.payload}` }, one.title);
    default: {
      const actions = {
        postback: () => tap({ kind: "postback", title: one.title, payload: one.payload }),
        account_link: () => tap({ kind: "account", linked: true }),
        account_unlink: () => tap({ kind: "account", linked: false }),
      };
      return h("button", { type: "button", class: "template-button", on: { click: actions[one.type] }, disabled: !actions[one.type] }, label);
    }
  }
}

const buttons = (list, tap) => list?.length > 0 && h("div", { class: "template-buttons" }, list.map((one) => button(one, tap)));

function card(element, square, tap) {
  const head = [
    element.image_url && image(element.image_url, element.title, square ? "square" : "wide"),
    h("div", { class: "card-words" },
      h("strong", {}, element.title),
      element.subtitle && h("span", { class: "muted" }, element.subtitle),
      element.default_action && h("span", { class: "muted small" }, address(element.default_action.url)?.host)),
  ];
  const action = element.default_action?.url;
  return h("div", { class: "card" }, action ? webLink(action, "card-link", head) : head, buttons(element.buttons, tap));
}

function carousel(elements, square, tap) {
  if (elements.length === 1) return card(elements[0], square, tap);
  const track = h("div", { class: "track", tabindex: "0", role: "group", "aria-label": `${elements.length} cards, swipe or use the arrow keys` },
    elements.map((element, index) => h("div", { class: "slide", role: "group", "aria-label": `Card ${index + 1} of ${elements.length}` },
      card(element, square, tap))));
  const move = (by) => track.scrollBy({ left: by * (track.firstChild.offsetWidth + 8), behavior: "smooth" });
  const back = h("button", { type: "button", class: "icon round back", "aria-label": "Previous card", disabled: true, on: { click: () => move(-1) } }, icon("left"));
  const on = h("button", { type: "button", class: "icon round on", "aria-label": "Next card", on: { click: () => move(1) } }, icon("right"));
  track.addEventListener("scroll", () => {
    back.disabled = track.scrollLeft < 8;
    on.disabled = track.scrollLeft > track.scrollWidth - track.clientWidth - 8;
  }, { passive: true });
  return h("div", { class: "carousel" }, track, back, on);
}

function receipt(form) {
  const money = (amount) => new Intl.NumberFormat([], { style: "currency", currency: form.currency }).format(amount);
  const line = (name, amount, strong) => amount !== undefined && h("div", { class: strong ? "line total" : "line" }, h("span", {}, name), h("span", {}, money(amount)));
  const to = form.address;
  return h("div", { class: "card receipt" },
    h("div", { class: "card-words" }, h("strong", {}, form.merchant_name ?? "Receipt"), h("span", { class: "muted" }, `Order ${form.order_number}, for ${form.recipient_name}`)),
    h("div", { class: "card-words lines" },
      (form.elements ?? []).map((each) => h("div", { class: "line" },
        h("span", {}, `${each.quantity ?? 1} × ${each.title}`, each.subtitle && h("span", { class: "muted" }, ` ${each.subtitle}`)), h("span", {}, money(each.price)))),
      line("Subtotal", form.summary.subtotal), line("Shipping", form.summary.shipping_cost), line("Tax", form.summary.total_tax),
      (form.adjustments ?? []).map((each) => line(each.name, -each.amount)), line("Total", form.summary.total_cost, true),
      h("span", { class: "muted" }, `Paid with ${form.payment_method}`),
      to && h("span", { class: "muted" }, `To ${to.street_1}, ${to.postal_code} ${to.city}`)),
    form.order_url && webLink(form.order_url, "template-button", "Show the order"));
}

function feedback(form, tap) {
  const question = form.feedback_screens[0].questions[0];
  const last = question.type === "nps" ? 10 : question.type === "ces" ? 7 : 5;
  const first = question.type === "nps" ? 0 : 1;
  return h("div", { class: "card" },
    h("div", { class: "card-words" }, h("strong", {}, form.title), h("span", { class: "muted" }, form.subtitle), question.title && h("span", {}, question.title)),
    h("div", { class: "scores", role: "group", "aria-label": form.button_title }, Array.from({ length: last - first + 1 }, (_, index) => String(first + index))
      .map((score) => h("button", { type: "button", class: "score", on: { click: () => tap({ kind: "feedback", question: question.id, type: question.type, score }) } }, score))));
}

function template(form, tap) {
  switch (form.template_type) {
    case "button":
      return h("div", { class: "card" }, h("div", { class: "card-words plain" }, text(form.text)), buttons(form.buttons, tap));
    case "generic":
      return carousel(form.elements, form.image_aspect_ratio === "square", tap);
    case "media":
      return h("div", { class: "card" }, form.elements.map((each) => [
        each.url ? image(each.url, each.media_type, "wide") : h("div", { class: "photo placeholder wide" }, h("span", {}, `${each.media_type} ${each.attachment_id}`)),
        buttons(each.buttons, tap)]));
    case "receipt":
      return receipt(form);
    case "customer_feedback":
      return feedback(form, tap);
    case "notification_messages":
      return h("div", { class: "card" }, form.image_url && image(form.image_url, form.title, "wide"), h("div", { class: "card-words" }, h("strong", {}, form.title ?? "Stay informed")),
        h("div", { class: "template-buttons" }, h("button", { type: "button", class: "template-button", on: { click: () => tap({ kind: "opt_in", title: form.title ?? "", payload: form.payload }) } }, "Get messages")));
    case "coupon":
      return h("div", { class: "card" }, form.image_url && image(form.image_url, form.title, "wide"),
        h("div", { class: "card-words" }, h("strong", {}, form.title), form.subtitle && h("span", { class: "muted" }, form.subtitle), form.coupon_code && h("code", {}, form.coupon_code)),
        form.coupon_url && webLink(form.coupon_url, "template-button", "Shop"));
    case "product":
      return h("div", { class: "card" }, h("div", { class: "card-words" }, form.elements.map((each) => h("span", {}, `Product ${each.id}`))));
    default:
      return h("div", { class: "card" }, h("div", { class: "card-words" }, `A template of type ${form.template_type}`));
  }
}

function attachment(one, tap) {
  if (one.type === "template") return template(one.payload, tap);
  const url = one.payload?.url ?? "";
  if (one.payload?.sticker_id) return h("img", { src: url, alt: "Thumbs up", class: "sticker" });
  if (one.type === "image") return image(url || "/", "Image");
  if ((one.type === "audio" || one.type === "video") && (isOwn(url) || WEB_MEDIA)) return h(one.type, { src: url, controls: true, class: "player", "aria-label": one.type === "audio" ? "Audio" : "Video" });
  return webLink(url, "file", icon("file"), one.payload?.attachment_id ? `${one.type} ${one.payload.attachment_id}` : `${one.type}: ${address(url)?.pathname.split("/").pop() || url}`);
}

/**
 * The content of a bubble.
 * @param {Object} bubble as the store has it.
 * @param {(action: Object) => void} tap takes the action of a button in it.
 */
export function content(bubble, tap) {
  const message = bubble.content;
  if (!message) {
    const { value, postback, referral, optin, account_linking: account, messaging_feedback: given } = bubble.item;
    const words = (value && `Commented on post ${value.post_id.split("_")[1]}: “${value.message}”`) ?? postback?.title ?? (referral && `Came by m.me/…?ref=${referral.ref}`) ?? (optin && "Get messages") ?? (account && `Account ${account.status}`) ?? (given && "Gave feedback") ?? "…";
    return postback ? h("div", { class: "bubble" }, h("div", { class: "text" }, words)) : h("div", { class: "bubble note" }, words);
  }
  const attached = message.attachments ?? (message.attachment ? [message.attachment] : []);
  return [
    message.text && h("div", { class: isBig(message.text) ? "big-emoji" : "bubble" }, text(message.text), bubble.edited && h("span", { class: "edited" }, " (edited)")),
    attached.map((one) => attachment(one, tap)),
  ];
}
