// The peer: the same question, the same answer, made with claudia-bot-builder as its documentation shows.
const http = require("http");
const https = require("https");
const { createHmac } = require("crypto");

// Its calls to graph.facebook.com go to the stand-in, in the form that Facebook takes today.
const { GRAPH_API_URL, GRAPH_API_VERSION, PAGE_ID, facebookAccessToken, facebookAppSecret } = process.env;
const standIn = new URL(GRAPH_API_URL);
const proof = createHmac("sha256", facebookAppSecret).update(facebookAccessToken).digest("hex");
https.request = (options) =>
  http.request({
    method: options.method,
    hostname: standIn.hostname,
    port: standIn.port,
    path: `/${GRAPH_API_VERSION}/${PAGE_ID}/messages?appsecret_proof=${proof}`,
    headers: { ...options.headers, Authorization: `Bearer ${facebookAccessToken}` },
  });

const botBuilder = require("claudia-bot-builder");

module.exports = botBuilder((message) =>
  message.text === "status"
    ? { text: "Which parcel? Please send me its 8-digit number.", messaging_type: "RESPONSE" }
    : { text: "I am a bot and answer questions about parcels.", messaging_type: "RESPONSE" },
);
